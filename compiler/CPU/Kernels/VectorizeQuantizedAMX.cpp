//===- VectorizeQuantizedAMX.cpp - Products of bytes on AMX tiles ---------===//
//
//   linalg.generic {llama.quantized} : 32 rows x 32 matrix rows
//
//   =>  for groups
//         unpack the weights of the next group               4 bits only
//         dots of the next group, exact: a linalg.generic {llama.amx_tile}
//         for rows:  sums += scales of the group, one for each lane, * dots
//
// A product of tiles takes its time, and scales have to wait for it. So the
// next group's is begun before the scales of this one are applied.
//
// A panel of the matrix is a right-hand tile as it is stored: a line has 4
// elements of 16 matrix rows. Rows are left-hand tiles as they are. Weights
// that are unpacked become signed on the way; for others the zero point's share
// is added to the dots.
//
// All tiles of a function must be 16 lines of 64 bytes: of the register
// allocator's eight there is none left for another shape. A group of 32 is half
// of that. So two groups make a step, and each is multiplied with 64 elements
// of the rows, of which 32 meet zeros:
//
//   lines  0 ..  7  of the first group    \ first product
//   lines  8 .. 15  zeros                 /  \ second product
//   lines 16 .. 23  of the second group      /
//
// Sums are what VectorizeQuantized's are, bit for bit: integers are exact, and
// floats are added in the same order.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Kernels/VectorizeQuantizedAMX.h"

#include "compiler/CPU/Kernels/QuantizedProduct.h"
#include "compiler/CPU/Tiling/TileForAMX.h"
#include "dialects/Llama/IR/LlamaAttributes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::llama;

namespace {

constexpr int64_t kTile = kAMXRows;
constexpr int64_t kBytes = 64; // of a line: elements that a product adds

class AMXTile : QuantizedProduct {
public:
  AMXTile(RewriterBase &rewriter, linalg::GenericOp op)
      : QuantizedProduct(rewriter, op, kTile), slots(findSlots()),
        groups(std::max<int64_t>(1, kBytes / type.getGroup())),
        isUnpacked(type.getBits() == 4 || groups > 1) {}

  Value vectorize();

private:
  /// Products of a group: with rows' bytes, or with low and with high ones.
  int64_t countParts() { return isWide ? 2 : 1; }

  Value makeUnpacked();
  Value unpack(Value step, Value into);
  Value unpackGroup(Value firstLine, Value into, int64_t group);
  /// The dots of a step, of `places`: unpacked weights if there are any, dots.
  void multiplyStep(Value step, MutableArrayRef<Value> places);
  Value multiply(Value step, Value weights, int64_t number, Value dots);
  Value multiplyInto(Value zeros, Value x, Value w);
  Value addDots(Value step, Value sums, Value dots);
  Value readDots(Value dots, Value first, Value row, Value start,
                 int64_t panel);
  Value writeSums(Value sums);

  Value scaled(Value x, int64_t factor, int64_t more = 0) {
    return plus(arith::MulIOp::create(b, x, index(factor)), more);
  }
  /// Where the dots of a step begin: two steps take turns.
  Value getFirstDots(Value step) {
    return scaled(arith::RemUIOp::create(b, step, index(2)),
                  groups * countParts());
  }
  /// A place of its own: of two products side by side equal tensor.empty ops
  /// would become one, and then have to be copied.
  Value allocate(ArrayRef<int64_t> shape, Type element) {
    return bufferization::AllocTensorOp::create(
        b, RankedTensorType::get(shape, element), ValueRange{});
  }
  Value fill(Value into) {
    Type element = getElementTypeOrSelf(into.getType());
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(element));
    return linalg::FillOp::create(b, zero, into).getResult(0);
  }
  /// A part of a tensor with its last dimension split.
  Value slice(Value tensor, ArrayRef<OpFoldResult> offsets,
              ArrayRef<int64_t> extents, int64_t innermost);

  SmallVector<Slot> slots; ///< one for each panel
  int64_t groups;          ///< of a step
  bool isUnpacked;         ///< weights are copied before they are multiplied
};

} // namespace

Value AMXTile::slice(Value tensor, ArrayRef<OpFoldResult> offsets,
                     ArrayRef<int64_t> extents, int64_t innermost) {
  SmallVector<OpFoldResult> sizes, strides(offsets.size(), b.getIndexAttr(1));
  SmallVector<int64_t> shape(extents);
  SmallVector<ReassociationIndices> split;
  for (auto [i, extent] : llvm::enumerate(extents)) {
    sizes.push_back(b.getIndexAttr(extent));
    split.push_back({static_cast<int64_t>(i)});
  }
  split.back().push_back(static_cast<int64_t>(extents.size()));
  shape.back() /= innermost;
  shape.push_back(innermost);
  Value part =
      tensor::ExtractSliceOp::create(b, tensor, offsets, sizes, strides);
  return tensor::ExpandShapeOp::create(
      b, RankedTensorType::get(shape, b.getI8Type()), part, split);
}

/// The place of unpacked weights, [panels, lines, 64].
Value AMXTile::makeUnpacked() {
  int64_t panels = std::ssize(slots), lines = type.getGroup() / 4;
  Value place =
      allocate({panels, groups > 1 ? 3 * lines : lines, kBytes}, b.getI8Type());
  if (groups > 1)
    for (int64_t panel = 0; panel < panels; ++panel)
      for (int64_t line = lines; line < 2 * lines; ++line)
        place = write(constantBytes(0), place,
                      {index(panel), index(line), index(0)});
  return place;
}

//===----------------------------------------------------------------------===//
// Dots
//===----------------------------------------------------------------------===//

/// The weights of a group, from line `firstLine` of the panels on, as bytes
/// less the zero point.
Value AMXTile::unpackGroup(Value firstLine, Value into, int64_t group) {
  int64_t parts = 8 / type.getBits();
  int64_t lines = type.getGroup() / type.getLineColumns();
  int64_t place = group * 2 * lines * parts; // zeros lie between two groups
  return loop(lines, 1, into, [&](Value line, ValueRange carried) {
    Value result = carried[0];
    Value from = arith::AddIOp::create(b, firstLine, line);
    for (const Slot &slot : slots) {
      Value stored = read(Elements, {index(slot.panel), from, index(0)}, 64);
      SmallVector<Value> weights = {stored};
      if (type.getBits() == 4)
        weights = {arith::AndIOp::create(b, stored, constantBytes(15)),
                   arith::ShRUIOp::create(b, stored, constantBytes(4))};
      for (auto [part, bytes] : llvm::enumerate(weights)) {
        if (type.getZeroPoint() != 0)
          bytes = arith::SubIOp::create(b, bytes,
                                        constantBytes(type.getZeroPoint()));
        Value at = scaled(line, parts, place + static_cast<int64_t>(part));
        result = write(bytes, result, {index(slot.panel), at, index(0)});
      }
    }
    return SmallVector<Value>{result};
  })[0];
}

Value AMXTile::unpack(Value step, Value into) {
  int64_t lines = type.getGroup() / type.getLineColumns();
  for (int64_t group = 0; group < groups; ++group)
    into =
        unpackGroup(scaled(step, groups * lines, group * lines), into, group);
  return into;
}

Value AMXTile::multiplyInto(Value zeros, Value x, Value w) {
  AffineExpr t, p, n, k, byte;
  bindDims(b.getContext(), t, p, n, k, byte);
  SmallVector<AffineMap> maps = {
      AffineMap::get(5, 0, {t, k, byte}, b.getContext()),
      AffineMap::get(5, 0, {p, k, n, byte}, b.getContext()),
      AffineMap::get(5, 0, {t, p, n}, b.getContext())};
  SmallVector<utils::IteratorType> iterators(3, utils::IteratorType::parallel);
  iterators.append(2, utils::IteratorType::reduction);
  bool isSigned = isUnpacked && type.getZeroPoint() != 0;
  auto dots = linalg::GenericOp::create(
      b, zeros.getType(), ValueRange{x, w}, zeros, maps, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange v) {
        ImplicitLocOpBuilder b(loc, nested);
        Type i32 = b.getI32Type();
        Value x = arith::ExtSIOp::create(b, i32, v[0]);
        Value w = isSigned ? arith::ExtSIOp::create(b, i32, v[1]).getResult()
                           : arith::ExtUIOp::create(b, i32, v[1]).getResult();
        Value xw = arith::MulIOp::create(b, x, w);
        linalg::YieldOp::create(b,
                                arith::AddIOp::create(b, v[2], xw).getResult());
      });
  dots->setAttr(kAMXTileAttr, b.getUnitAttr());
  return dots.getResult(0);
}

/// Dots number `number` of the step, [rows, panels, 16].
Value AMXTile::multiply(Value step, Value weights, int64_t number, Value dots) {
  int64_t elements = groups * type.getGroup(), lines = elements / 4;
  int64_t panels = std::ssize(slots), group = number / countParts();
  OpFoldResult none = b.getIndexAttr(0);
  bool isLow = isWide && number % countParts() == 0;
  Value x = slice(source(isLow ? getLowBytes() : RowIntegers),
                  {none, scaled(step, elements)}, {rows, elements}, 4);
  OpFoldResult firstLine = scaled(step, lines);
  if (isUnpacked)
    firstLine = b.getIndexAttr(group * type.getGroup() / 4);
  Value w = slice(isUnpacked ? weights : source(Elements),
                  {none, firstLine, none}, {panels, lines, kBytes}, 4);

  SmallVector<OpFoldResult> offsets(4, none), strides(4, b.getIndexAttr(1));
  offsets[0] = plus(getFirstDots(step), number);
  SmallVector<OpFoldResult> extents = {b.getIndexAttr(1), b.getIndexAttr(rows),
                                       b.getIndexAttr(panels),
                                       b.getIndexAttr(kTile)};
  auto placeType = RankedTensorType::get({rows, panels, kTile}, b.getI32Type());
  Value place = tensor::ExtractSliceOp::create(b, placeType, dots, offsets,
                                               extents, strides);
  return tensor::InsertSliceOp::create(b, multiplyInto(fill(place), x, w), dots,
                                       offsets, extents, strides);
}

void AMXTile::multiplyStep(Value step, MutableArrayRef<Value> places) {
  if (isUnpacked)
    places.front() = unpack(step, places.front());
  for (int64_t number = 0; number < groups * countParts(); ++number)
    places.back() = multiply(step, places.front(), number, places.back());
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// A vector of one row's dots with a panel, of a group whose dots are those
/// from number `first` on.
Value AMXTile::readDots(Value dots, Value first, Value row, Value start,
                        int64_t panel) {
  auto readPart = [&](int64_t part) {
    return read(dots, {plus(first, part), row, index(panel), index(0)}, kTile);
  };
  Value sum = readPart(0);
  if (start)
    sum = arith::AddIOp::create(b, sum, start);
  return isWide ? joinBytes(sum, readPart(1)) : sum;
}

Value AMXTile::addDots(Value step, Value sums, Value dots) {
  SmallVector<Value> numbers, places;
  SmallVector<SmallVector<GroupFactors>> factors(groups);
  bool hasStart = !isUnpacked && type.getZeroPoint() != 0;
  for (int64_t group = 0; group < groups; ++group) {
    numbers.push_back(scaled(step, groups, group));
    places.push_back(plus(getFirstDots(step), group * countParts()));
    for (const Slot &slot : slots)
      factors[group].push_back(readGroupFactors(slot, numbers[group]));
  }
  return loop(rows, 1, sums, [&](Value row, ValueRange carried) {
    SmallVector<RowFactors> rowFactors;
    SmallVector<Value> starts;
    for (Value number : numbers) {
      rowFactors.push_back(readRowFactors(row, number));
      starts.push_back(hasStart ? readStart(row, number, type.getZeroPoint())
                                : Value());
    }
    Value result = carried[0];
    for (const Slot &slot : slots) {
      SmallVector<Value> at = {row, index(slot.panel * kTile)};
      Value sum = read(result, at, kTile);
      for (int64_t group = 0; group < groups; ++group)
        sum = addGroup(
            sum, readDots(dots, places[group], row, starts[group], slot.panel),
            factors[group][slot.panel], rowFactors[group]);
      result = write(sum, result, at);
    }
    return SmallVector<Value>{result};
  })[0];
}

Value AMXTile::writeSums(Value sums) {
  return loop(rows, 1, getResultPlace(), [&](Value row, ValueRange carried) {
    Value into = carried[0];
    for (const Slot &slot : slots) {
      SmallVector<Value> at = {row, index(slot.panel * kTile)};
      into = write(read(sums, at, kTile), into, at);
    }
    return SmallVector<Value>{into};
  })[0];
}

Value AMXTile::vectorize() {
  // Not in the result's place: its rows are far apart, often by a power of two,
  // and would push each other out of the cache.
  Value zeros = fill(allocate({rows, columns}, b.getF32Type()));
  SmallVector<Value> carried = {zeros};
  if (isUnpacked)
    carried.push_back(makeUnpacked());
  carried.push_back(
      allocate({2 * groups * countParts(), rows, std::ssize(slots), kTile},
               b.getI32Type()));
  auto getPlaces = [](SmallVector<Value> &carried) {
    return MutableArrayRef<Value>(carried).drop_front();
  };
  int64_t last = depth / (groups * type.getGroup()) - 1;
  multiplyStep(index(0), getPlaces(carried));
  carried = loop(last, 1, carried, [&](Value step, ValueRange carried) {
    SmallVector<Value> next(carried);
    multiplyStep(plus(step, 1), getPlaces(next));
    next[0] = addDots(step, next[0], next.back());
    return next;
  });
  return writeSums(addDots(index(last), carried[0], carried.back()));
}

std::string llama::findAMXInt8Obstacle(ArrayRef<linalg::GenericOp> products) {
  for (linalg::GenericOp product : products) {
    if (!product->hasAttr(kQuantizedAttr))
      return "it is joined with a product that is not quantized";
    // Two panels of 16 or more: see LinearTiler.
    SmallVector<int64_t> ranges = product.getStaticLoopRanges();
    if (ranges[1] < 2 * kTile)
      return llvm::formatv("out is {0}, less than {1}", ranges[1], 2 * kTile);
    if (ranges[2] % kBytes != 0)
      return llvm::formatv("in is {0}, no multiple of {1}", ranges[2], kBytes);
  }
  return "";
}

bool llama::fitsAMXTiles(linalg::GenericOp op) {
  SmallVector<int64_t> extents = op.getStaticLoopRanges();
  return extents[0] % kTile == 0 && extents[1] % kTile == 0 &&
         extents[2] % kBytes == 0;
}

Value llama::vectorizeQuantizedAMX(RewriterBase &rewriter,
                                   linalg::GenericOp op) {
  return AMXTile(rewriter, op).vectorize();
}
