//===- Attention.cpp - Attention over the pages of the KV cache -----------===//
//
// forall KV head g, row t:              the heads that share g are [G, headDim]
//   for block in 0 .. position / 64:
//     scores  = query . keys / sqrt(headDim)      keys after the position:
//     -inf maximum, sum, mixed                         flash recurrence, 64
//     keys a step
//   result = mixed / sum
//
// Keys of a block are stored across (see Cache.h): scores of neighbouring keys
// are neighbouring lanes, and both products are sums of outer products,
//   scores += query[:, d] x keys[d, :]     mixed += weights[:, j] x values[j,
//   :]
// without a sum over lanes. KV heads come before rows: a thread stays with the
// keys of one, and long rows are spread over all threads.
//
// The order of every sum depends on the row's position alone.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Conversion/Cache.h"
#include "dialects/Llama/IR/LlamaOps.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::llama;

namespace {

/// The running state of the flash recurrence over the blocks of one row and KV
/// head; G heads share it.
struct Flash {
  Value maximum; ///< [G]
  Value sum;     ///< [G]
  Value mixed;   ///< [G, headDim]
};

class AttentionBuilder {
public:
  AttentionBuilder(RowBuilder &b, Value query, const CacheRows &rows)
      : rows(rows), query(query), shape(cast<MemRefType>(rows.cache.getType())),
        group(cast<RankedTensorType>(query.getType()).getDimSize(1) /
              (shape.kvHeads * shape.headDim)),
        f32(b.getF32Type()) {}

  int64_t getGroupColumns() const { return group * shape.headDim; }
  Value build(RowBuilder &b, Value t, Value kvHead, Type element, Value into);
  void record(RowBuilder &b, Value t, Value kvHead, Value line, Value into);

private:
  Value loadHeads(RowBuilder &b, Value t, Value column);
  Value scoreKeys(RowBuilder &b, Value heads, const CachedBlock &keys,
                  Value count);
  Value mixValues(RowBuilder &b, Value weights, const CachedBlock &values,
                  Value count, Value mixed);
  Value countBlocks(RowBuilder &b, Value position);
  Value countKeys(RowBuilder &b, Value length, Value number);
  Flash visitBlock(RowBuilder &b, Value heads, const CachedBlock &keys,
                   const CachedBlock &values, Value count, const Flash &state);

  const CacheRows &rows;
  Value query;
  CacheShape shape;
  int64_t group;
  Type f32;
};

} // namespace

Value AttentionBuilder::loadHeads(RowBuilder &b, Value t, Value column) {
  Value row = b.slice(query, {t, column}, {1, getGroupColumns()}, 1);
  SmallVector<ReassociationIndices> groups = {{0, 1}};
  return tensor::ExpandShapeOp::create(
      b, RankedTensorType::get({group, shape.headDim}, f32), row, groups);
}

/// [G, 64] scores; those from `count` on are negative infinity. What lies there
/// is read, but has no effect.
Value AttentionBuilder::scoreKeys(RowBuilder &b, Value heads,
                                  const CachedBlock &keys, Value count) {
  Value dots = b.generic(
      {heads, keys.elements}, b.fill(0.0, b.empty({group, kCacheBlock}, f32)),
      {{0, 2}, {2, 1}, {0, 1}}, 2, 1, [&](RowBuilder &b, ValueRange v) {
        return b.addProduct(v[2], v[0], b.convertFloat(v[1], f32));
      });
  double scale = 1.0 / std::sqrt(static_cast<double>(shape.headDim));
  SmallVector<Value> inputs = {dots};
  SmallVector<SmallVector<unsigned>> maps = {{0, 1}, {0, 1}};
  if (keys.scales) {
    inputs.push_back(keys.scales);
    maps.insert(maps.begin() + 1, {1});
  }
  return b.generic(inputs, b.empty({group, kCacheBlock}, f32), maps, 2, 0,
                   [&](RowBuilder &b, ValueRange v) -> Value {
                     Value scaled =
                         arith::MulFOp::create(b, v[0], b.f32(scale));
                     if (keys.scales)
                       scaled = arith::MulFOp::create(b, scaled, v[1]);
                     Value j = linalg::IndexOp::create(b, 1);
                     Value isWritten = arith::CmpIOp::create(
                         b, arith::CmpIPredicate::ult, j, count);
                     return arith::SelectOp::create(
                         b, isWritten, scaled,
                         b.f32(-std::numeric_limits<double>::infinity()));
                   });
}

/// mixed[g, :] + sum over j < count of weights[g, j] values[j, :].
Value AttentionBuilder::mixValues(RowBuilder &b, Value weights,
                                  const CachedBlock &values, Value count,
                                  Value mixed) {
  if (values.scales)
    weights = b.generic(
        {weights, values.scales}, b.empty({group, kCacheBlock}, f32),
        {{0, 1}, {1}, {0, 1}}, 2, 0, [](RowBuilder &b, ValueRange v) -> Value {
          return arith::MulFOp::create(b, v[0], v[1]);
        });
  OpFoldResult zero = b.getIndexAttr(0);
  SmallVector<OpFoldResult> offsets(2, zero), strides(2, b.getIndexAttr(1));
  Value written = tensor::ExtractSliceOp::create(
      b, values.elements, offsets,
      ArrayRef<OpFoldResult>{count, b.getIndexAttr(shape.headDim)}, strides);
  Value used = tensor::ExtractSliceOp::create(
      b, weights, offsets, ArrayRef<OpFoldResult>{b.getIndexAttr(group), count},
      strides);
  return b.generic({used, written}, mixed, {{0, 2}, {2, 1}, {0, 1}}, 2, 1,
                   [&](RowBuilder &b, ValueRange v) {
                     return b.addProduct(v[2], v[0], b.convertFloat(v[1], f32));
                   });
}

Flash AttentionBuilder::visitBlock(RowBuilder &b, Value heads,
                                   const CachedBlock &keys,
                                   const CachedBlock &values, Value count,
                                   const Flash &state) {
  Value scores = scoreKeys(b, heads, keys, count);
  Value lowest =
      b.fill(-std::numeric_limits<double>::infinity(), b.empty({group}, f32));
  Value blockMaximum =
      b.generic(scores, lowest, {{0, 1}, {0}}, 1, 1,
                [](RowBuilder &b, ValueRange v) -> Value {
                  return arith::MaximumFOp::create(b, v[1], v[0]);
                });
  // The state is updated in place, so what needs the old maximum comes first.
  Value decay = b.elementwise(
      {state.maximum, blockMaximum}, b.empty({group}, f32),
      [](RowBuilder &b, ValueRange v) -> Value {
        Value maximum = arith::MaximumFOp::create(b, v[0], v[1]);
        return math::ExpOp::create(b, arith::SubFOp::create(b, v[0], maximum));
      });
  Value maximum = b.elementwise(
      blockMaximum, state.maximum, [](RowBuilder &b, ValueRange v) -> Value {
        return arith::MaximumFOp::create(b, v[1], v[0]);
      });
  Value weights = b.generic(
      {scores, maximum}, b.empty({group, kCacheBlock}, f32),
      {{0, 1}, {0}, {0, 1}}, 2, 0, [](RowBuilder &b, ValueRange v) -> Value {
        return math::ExpOp::create(b, arith::SubFOp::create(b, v[0], v[1]));
      });
  Value blockSum =
      b.generic(weights, b.fill(0.0, b.empty({group}, f32)), {{0, 1}, {0}}, 1,
                1, [](RowBuilder &b, ValueRange v) -> Value {
                  return arith::AddFOp::create(b, v[1], v[0]);
                });
  Value sum = b.elementwise(
      {decay, blockSum}, state.sum, [](RowBuilder &b, ValueRange v) -> Value {
        Value decayed = arith::MulFOp::create(b, v[2], v[0]);
        return arith::AddFOp::create(b, decayed, v[1]);
      });
  Value decayed = b.generic(decay, state.mixed, {{0}, {0, 1}}, 2, 0,
                            [](RowBuilder &b, ValueRange v) -> Value {
                              return arith::MulFOp::create(b, v[1], v[0]);
                            });
  return {maximum, sum, mixValues(b, weights, values, count, decayed)};
}

/// Blocks of the cache up to a position's.
Value AttentionBuilder::countBlocks(RowBuilder &b, Value position) {
  Value size = b.index(kCacheBlock);
  return arith::AddIOp::create(b, arith::DivUIOp::create(b, position, size),
                               b.index(1));
}

/// Keys in block `number` of a sequence that is so long.
Value AttentionBuilder::countKeys(RowBuilder &b, Value length, Value number) {
  Value size = b.index(kCacheBlock);
  Value before = arith::MulIOp::create(b, number, size);
  return arith::MinUIOp::create(b, size,
                                arith::SubIOp::create(b, length, before));
}

/// Line `line` of the buffer `into` gets the scores of row t for the heads that
/// share `kvHead`.
void AttentionBuilder::record(RowBuilder &b, Value t, Value kvHead, Value line,
                              Value into) {
  Value column = arith::MulIOp::create(b, kvHead, b.index(getGroupColumns()));
  Value heads = loadHeads(b, t, column);
  Value position = b.extractIndex(rows.positions, t);
  Value length = arith::AddIOp::create(b, position, b.index(1));
  Value firstHead = arith::MulIOp::create(b, kvHead, b.index(group));
  b.loop(countBlocks(b, position), {},
         [&](RowBuilder &b, Value number, ValueRange) {
           Value block = findBlock(b, rows, t, number);
           Value scores = scoreKeys(b, heads, loadKeys(b, rows, block, kvHead),
                                    countKeys(b, length, number));
           Value first = arith::MulIOp::create(b, number, b.index(kCacheBlock));
           Value view =
               b.subview(into, {line, firstHead, first},
                         {1, group, kCacheBlock}, {group, kCacheBlock});
           bufferization::MaterializeInDestinationOp::create(
               b, /*result=*/Type(), scores, view, /*restrict=*/true,
               /*writable=*/true);
           return SmallVector<Value>();
         });
}

Value AttentionBuilder::build(RowBuilder &b, Value t, Value kvHead,
                              Type element, Value into) {
  Value column = arith::MulIOp::create(b, kvHead, b.index(getGroupColumns()));
  Value heads = loadHeads(b, t, column);
  Value position = b.extractIndex(rows.positions, t);
  Value length = arith::AddIOp::create(b, position, b.index(1));
  Value blocks = countBlocks(b, position);
  Value maximum =
      b.fill(-std::numeric_limits<double>::infinity(), b.empty({group}, f32));
  Value sum = b.fill(0.0, b.empty({group}, f32));
  Value mixed = b.fill(0.0, b.empty({group, shape.headDim}, f32));

  SmallVector<Value> state =
      b.loop(blocks, {maximum, sum, mixed},
             [&](RowBuilder &b, Value number, ValueRange carried) {
               Value count = countKeys(b, length, number);
               Value block = findBlock(b, rows, t, number);
               Flash next =
                   visitBlock(b, heads, loadKeys(b, rows, block, kvHead),
                              loadValues(b, rows, block, kvHead), count,
                              Flash{carried[0], carried[1], carried[2]});
               return SmallVector<Value>{next.maximum, next.sum, next.mixed};
             });

  Value out = b.slice(into, {t, column}, {1, getGroupColumns()}, 1);
  SmallVector<ReassociationIndices> groups = {{0, 1}};
  Value outHeads = tensor::ExpandShapeOp::create(
      b, RankedTensorType::get({group, shape.headDim}, element), out, groups);
  Value result = b.generic(
      {state[2], state[1]}, outHeads, {{0, 1}, {0}, {0, 1}}, 2, 0,
      [&](RowBuilder &b, ValueRange v) {
        return b.convertFloat(arith::DivFOp::create(b, v[0], v[1]), element);
      });
  return tensor::CollapseShapeOp::create(
      b, RankedTensorType::get({getGroupColumns()}, element), result, groups);
}

Value llama::lowerAttention(RowBuilder &b, Value query, const CacheRows &rows,
                            Type element) {
  auto type = cast<RankedTensorType>(query.getType());
  CacheShape shape(cast<MemRefType>(rows.cache.getType()));
  AttentionBuilder attention(b, query, rows);
  Value init = b.emptyRows(query, type.getDimSize(1), element);
  return b.forall(
      {b.getIndexAttr(shape.kvHeads), b.rowCount(query)}, init,
      {1, attention.getGroupColumns()},
      [&](RowBuilder &b, ValueRange numbers) {
        Value width = b.index(attention.getGroupColumns());
        Value column = arith::MulIOp::create(b, numbers[0], width);
        return SmallVector<OpFoldResult>{numbers[1], column};
      },
      [&](RowBuilder &b, ValueRange numbers, Value shared) {
        return attention.build(b, numbers[1], numbers[0], element, shared);
      });
}

void llama::lowerRecordScores(RowBuilder &b, Value query, const CacheRows &rows,
                              Value list, Value into) {
  CacheShape shape(cast<MemRefType>(rows.cache.getType()));
  AttentionBuilder attention(b, query, rows);
  int64_t layers = cast<MemRefType>(rows.cache.getType()).getDimSize(1);
  Value isLast = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, rows.layer,
                                       b.index(layers - 1));
  // No rows in the other layers: a loop that every thread leaves at once.
  Value lines = memref::DimOp::create(b, into, 0);
  Value count = arith::SelectOp::create(b, isLast, lines, b.index(0));
  scf::ForallOp::create(
      b, ArrayRef<OpFoldResult>{count, b.getIndexAttr(shape.kvHeads)},
      ValueRange{}, /*mapping=*/std::nullopt,
      [&](OpBuilder &nested, Location loc, ValueRange numbers) {
        RowBuilder inner(loc, nested);
        Value t = inner.extractIndex(list, numbers[0]);
        attention.record(inner, t, numbers[1], numbers[0], into);
        scf::InParallelOp::create(nested, loc);
      });
}
