//===- Cache.cpp - Reading and writing blocks of the KV cache -------------===//

#include "compiler/CPU/Conversion/Cache.h"

using namespace mlir;
using namespace mlir::llama;

namespace {

enum CachePart : int64_t { Keys = 0, Values = 1 };

/// The memory of some heads in a block, seen as what it holds.
struct BlockViews {
  Value elements; ///< [..., headDim, 64] or [..., 64, headDim]
  Value scales;   ///< [..., 2, 64] bytes, or null
};

/// Elements [first, first + rows * columns) of the last dimension of `flat`, as
/// [..., rows, columns].
Value viewMatrix(RowBuilder &b, Value flat, int64_t first, int64_t rows,
                 int64_t columns) {
  auto type = cast<MemRefType>(flat.getType());
  int64_t last = type.getRank() - 1;
  SmallVector<int64_t> sizes(type.getShape());
  SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0));
  sizes[last] = rows * columns;
  offsets[last] = b.getIndexAttr(first);
  Value part = b.subview(flat, offsets, sizes, sizes);
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0; i <= last; ++i)
    groups.push_back({i});
  groups.back().push_back(last + 1);
  SmallVector<int64_t> shape(sizes);
  shape[last] = rows;
  shape.push_back(columns);
  return memref::ExpandShapeOp::create(b, shape, part, groups);
}

/// What `heads`, [..., 64, headDim], hold.
BlockViews viewBlocks(RowBuilder &b, Value heads, CachePart part,
                      const CacheShape &shape) {
  int64_t last = cast<MemRefType>(heads.getType()).getRank() - 1;
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0; i < last; ++i)
    groups.push_back({i});
  groups.back().push_back(last);
  Value flat = memref::CollapseShapeOp::create(b, heads, groups);
  int64_t count = kCacheBlock * shape.headDim;
  BlockViews views;
  views.elements = part == Keys
                       ? viewMatrix(b, flat, 0, shape.headDim, kCacheBlock)
                       : viewMatrix(b, flat, 0, kCacheBlock, shape.headDim);
  if (shape.hasScales)
    views.scales = viewMatrix(b, flat, count, 2, kCacheBlock);
  return views;
}

Value toTensor(RowBuilder &b, Value view) {
  auto type = cast<MemRefType>(view.getType());
  return bufferization::ToTensorOp::create(
      b, RankedTensorType::get(type.getShape(), type.getElementType()), view,
      /*restrict=*/true);
}

/// f32 [64] of their two rows of bytes.
Value loadScales(RowBuilder &b, Value bytes) {
  Value both = toTensor(b, bytes);
  OpFoldResult zero = b.getIndexAttr(0);
  Value low = b.slice(both, {zero, zero}, {1, kCacheBlock}, 1);
  Value high = b.slice(both, {b.getIndexAttr(1), zero}, {1, kCacheBlock}, 1);
  return b.elementwise(
      {low, high}, b.empty({kCacheBlock}, b.getF32Type()),
      [](RowBuilder &b, ValueRange v) -> Value {
        auto shifted = [&](Value byte, int32_t by) -> Value {
          Value wide = arith::ExtUIOp::create(b, b.getI32Type(), byte);
          Value bits = arith::ConstantOp::create(b, b.getI32IntegerAttr(by));
          return arith::ShLIOp::create(b, wide, bits);
        };
        Value bits =
            arith::OrIOp::create(b, shifted(v[0], 16), shifted(v[1], 24));
        return arith::BitcastOp::create(b, b.getF32Type(), bits);
      });
}

CachedBlock loadBlock(RowBuilder &b, const CacheRows &rows, CachePart part,
                      Value block, Value kvHead) {
  auto type = cast<MemRefType>(rows.cache.getType());
  OpFoldResult zero = b.getIndexAttr(0);
  int64_t width = type.getDimSize(5);
  Value head = b.subview(
      rows.cache, {block, rows.layer, b.getIndexAttr(part), kvHead, zero, zero},
      {1, 1, 1, 1, kCacheBlock, width}, {kCacheBlock, width});
  BlockViews views = viewBlocks(b, head, part, CacheShape(type));
  CachedBlock loaded;
  loaded.elements = toTensor(b, views.elements);
  if (views.scales)
    loaded.scales = loadScales(b, views.scales);
  return loaded;
}

void store(RowBuilder &b, Value values, Value into) {
  bufferization::MaterializeInDestinationOp::create(
      b, /*result=*/Type(), values, into, /*restrict=*/true, /*writable=*/true);
}

/// One key or value of every head: integers [kvHeads, headDim], and the bits of
/// their scales, [kvHeads], f32 that are bf16.
std::pair<Value, Value> quantizeHeads(RowBuilder &b, Value heads,
                                      const CacheShape &shape) {
  Type f32 = b.getF32Type(), i32 = b.getI32Type();
  Value largest =
      b.generic(heads, b.fill(0.0, b.empty({shape.kvHeads}, f32)),
                {{0, 1}, {0}}, 1, 1, [](RowBuilder &b, ValueRange v) -> Value {
                  Value size = math::AbsFOp::create(b, v[0]);
                  return arith::MaximumFOp::create(b, v[1], size);
                });
  // Rounded up to bf16, or the largest would be more than 127 steps.
  Value bits = b.elementwise(
      largest, b.empty({shape.kvHeads}, i32),
      [&](RowBuilder &b, ValueRange v) -> Value {
        auto constant = [&](int32_t value) -> Value {
          return arith::ConstantOp::create(b, b.getI32IntegerAttr(value));
        };
        Value step = arith::DivFOp::create(b, v[0], b.f32(127.0));
        Value exact = arith::BitcastOp::create(b, i32, step);
        Value above = arith::AddIOp::create(b, exact, constant(0xFFFF));
        return arith::AndIOp::create(b, above, constant(~0xFFFF));
      });
  Value integers = b.generic(
      {heads, bits}, b.empty({shape.kvHeads, shape.headDim}, b.getI8Type()),
      {{0, 1}, {0}, {0, 1}}, 2, 0, [&](RowBuilder &b, ValueRange v) -> Value {
        Value scale = arith::BitcastOp::create(b, f32, v[1]);
        Value isZero = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ,
                                             scale, b.f32(0.0));
        Value divisor = arith::SelectOp::create(b, isZero, b.f32(1.0), scale);
        Value steps = math::RoundEvenOp::create(
            b, arith::DivFOp::create(b, v[0], divisor).getResult());
        Value wide = arith::FPToSIOp::create(b, i32, steps);
        return arith::TruncIOp::create(b, b.getI8Type(), wide);
      });
  return {integers, bits};
}

/// Byte `number` of the bits of bf16 scales that are f32.
Value extractByte(RowBuilder &b, Value bits, int32_t number) {
  auto type = cast<RankedTensorType>(bits.getType());
  return b.elementwise(
      bits, b.empty(type.getShape(), b.getI8Type()),
      [&](RowBuilder &b, ValueRange v) -> Value {
        Value by =
            arith::ConstantOp::create(b, b.getI32IntegerAttr(16 + 8 * number));
        return arith::TruncIOp::create(
            b, b.getI8Type(), arith::ShRUIOp::create(b, v[0], by).getResult());
      });
}

/// One row's keys or values, [kvHeads * headDim], to their slot of the cache.
void storeRow(RowBuilder &b, Value source, CachePart part, Value t, Value block,
              Value slot, const CacheRows &rows) {
  auto type = cast<MemRefType>(rows.cache.getType());
  CacheShape shape(type);
  OpFoldResult zero = b.getIndexAttr(0);
  int64_t heads = shape.kvHeads, width = type.getDimSize(5);
  Value row = b.slice(source, {t, zero}, {1, heads * shape.headDim}, 1);
  SmallVector<ReassociationIndices> groups = {{0, 1}};
  Value values = tensor::ExpandShapeOp::create(
      b, RankedTensorType::get({heads, shape.headDim}, b.getF32Type()), row,
      groups);
  Value memory = b.subview(
      rows.cache, {block, rows.layer, b.getIndexAttr(part), zero, zero, zero},
      {1, 1, 1, heads, kCacheBlock, width}, {heads, kCacheBlock, width});
  BlockViews views = viewBlocks(b, memory, part, shape);
  Value into =
      part == Keys
          ? b.subview(views.elements, {zero, zero, slot},
                      {heads, shape.headDim, 1}, {heads, shape.headDim})
          : b.subview(views.elements, {zero, slot, zero},
                      {heads, 1, shape.headDim}, {heads, shape.headDim});
  if (!shape.hasScales) {
    Type element = type.getElementType();
    store(b,
          b.elementwise(values, b.empty({heads, shape.headDim}, element),
                        [&](RowBuilder &b, ValueRange v) {
                          return b.convertFloat(v[0], element);
                        }),
          into);
    return;
  }
  auto [integers, bits] = quantizeHeads(b, values, shape);
  store(b, integers, into);
  for (int32_t byte : {0, 1})
    store(b, extractByte(b, bits, byte),
          b.subview(views.scales, {zero, b.getIndexAttr(byte), slot},
                    {heads, 1, 1}, {heads}));
}

} // namespace

Value llama::findBlock(RowBuilder &b, const CacheRows &rows, Value t,
                       Value number) {
  Value sequence = b.extractIndex(rows.sequences, t);
  return b.extractIndex(rows.tables, {sequence, number});
}

CachedBlock llama::loadKeys(RowBuilder &b, const CacheRows &rows, Value block,
                            Value kvHead) {
  return loadBlock(b, rows, Keys, block, kvHead);
}

CachedBlock llama::loadValues(RowBuilder &b, const CacheRows &rows, Value block,
                              Value kvHead) {
  return loadBlock(b, rows, Values, block, kvHead);
}

void llama::lowerCacheAppend(RowBuilder &b, Value keys, Value values,
                             const CacheRows &rows) {
  b.forallRows(keys, [&](RowBuilder &b, ValueRange numbers) {
    Value t = numbers[0];
    Value position = b.extractIndex(rows.positions, t);
    Value size = b.index(kCacheBlock);
    Value number = arith::DivUIOp::create(b, position, size);
    Value slot = arith::RemUIOp::create(b, position, size);
    Value block = findBlock(b, rows, t, number);
    storeRow(b, keys, Keys, t, block, slot, rows);
    storeRow(b, values, Values, t, block, slot, rows);
  });
}
