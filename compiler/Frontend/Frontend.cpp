//===- Frontend.cpp - Hyper-parameters to a module of llama ops -----------===//
//
// One function per part of the figure:
//
//   forward    embed -> layers -> norm -> logits
//   layer      x + attention(norm(x)), then + feed-forward(norm(x))
//
//===----------------------------------------------------------------------===//

#include "compiler/Frontend/Frontend.h"

#include "compiler/Frontend/WeightTypes.h"
#include "dialects/Llama/IR/LlamaAttributes.h"
#include "dialects/Llama/IR/LlamaOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace mlir::llama;
using llamaweights::ModelConfig;

namespace {

/// What every op that touches the cache is told about the rows.
struct Rows {
  Value cache, layer, positions, sequences, tables;
  Value logitRows, attentionScores; ///< for whom the last layer's scores are
};

/// An argument: its name, and which number of rows its first dimension is
/// ("rows", "logit_rows" or "").
struct Argument {
  StringRef name;
  Type type;
  StringRef extent = "";
};

class ModelBuilder {
public:
  ModelBuilder(MLIRContext &context, const llamaweights::OpenedModel &manifest,
               const FrontendOptions &options)
      : manifest(manifest), config(manifest.config), options(options),
        b(UnknownLoc::get(&context), &context),
        module(ModuleOp::create(b.getLoc())) {}

  llvm::Expected<OwningOpRef<ModuleOp>> build();

private:
  llvm::Error declareWeights();
  llvm::Error declareWeight(StringRef name, bool layered,
                            ArrayRef<int64_t> shape);
  void buildLayer();
  void buildForward();
  Value attention(Value normed, Value cosine, Value sine, const Rows &rows);
  Value feedForward(Value normed, Value layer);
  Value norm(Value stream, StringRef weight, Value layer);
  Value linear(Value input, StringRef weight, Value layer, int64_t columns);
  Value getWeight(StringRef name, Value layer);
  func::FuncOp createFunction(StringRef name, ArrayRef<Argument> arguments,
                              TypeRange results);
  void at(StringRef name) { b.setLoc(NameLoc::get(b.getStringAttr(name))); }

  Type getNumberType(NumberType type) {
    return type == NumberType::F32 ? Type(b.getF32Type())
                                   : Type(b.getBF16Type());
  }
  RankedTensorType rows(int64_t columns, Type element) {
    return RankedTensorType::get({ShapedType::kDynamic, columns}, element);
  }
  RankedTensorType f32Rows(int64_t columns) {
    return rows(columns, b.getF32Type());
  }
  RankedTensorType inputRows(int64_t columns) {
    return rows(columns, getNumberType(options.activations));
  }
  RankedTensorType indices(int64_t rank) {
    return RankedTensorType::get(
        SmallVector<int64_t>(rank, ShapedType::kDynamic), b.getI32Type());
  }
  Type getCacheElementType() {
    switch (options.kvType) {
    case CacheType::BF16:
      return b.getBF16Type();
    case CacheType::F32:
      return b.getF32Type();
    case CacheType::Int8:
      return b.getI8Type();
    }
    llvm_unreachable("all types of the cache are handled");
  }
  MemRefType cacheType() {
    int64_t width = config.headDim;
    if (options.kvType == CacheType::Int8)
      width += kCacheScaleBytes;
    return MemRefType::get({ShapedType::kDynamic, config.layers, 2,
                            config.kvHeads, kCacheBlock, width},
                           getCacheElementType());
  }

  MemRefType scoresType() {
    return MemRefType::get(
        {ShapedType::kDynamic, config.heads, ShapedType::kDynamic},
        b.getF32Type());
  }

  const llamaweights::OpenedModel &manifest;
  const ModelConfig &config;
  const FrontendOptions &options;
  ImplicitLocOpBuilder b;
  OwningOpRef<ModuleOp> module;
};

} // namespace

llvm::Error ModelBuilder::declareWeight(StringRef name, bool layered,
                                        ArrayRef<int64_t> shape) {
  llvm::Expected<Type> element =
      getWeightElementType(*b.getContext(), manifest, name, layered, options);
  if (!element)
    return element.takeError();
  SmallVector<int64_t> stacked;
  if (layered)
    stacked.push_back(config.layers);
  llvm::append_range(stacked, shape);
  at(name);
  WeightOp::create(b, name, layered,
                   isHadamardRotated(manifest, name, layered, options),
                   RankedTensorType::get(stacked, *element));
  return llvm::Error::success();
}

llvm::Error ModelBuilder::declareWeights() {
  int64_t queries = config.heads * config.headDim;
  int64_t keys = config.kvHeads * config.headDim;
  struct Weight {
    StringRef name;
    bool layered;
    SmallVector<int64_t> shape;
  };
  SmallVector<Weight> weights = {
      {"tok_embeddings", false, {config.vocab, config.hidden}},
      {"layers.attention_norm", true, {config.hidden}},
      {"layers.attention.wq", true, {queries, config.hidden}},
      {"layers.attention.wk", true, {keys, config.hidden}},
      {"layers.attention.wv", true, {keys, config.hidden}},
      {"layers.attention.wo", true, {config.hidden, queries}},
      {"layers.ffn_norm", true, {config.hidden}},
      {"layers.feed_forward.w1", true, {config.ffn, config.hidden}},
      {"layers.feed_forward.w2", true, {config.hidden, config.ffn}},
      {"layers.feed_forward.w3", true, {config.ffn, config.hidden}},
      {"norm", false, {config.hidden}},
  };
  if (!config.tiedEmbeddings)
    weights.push_back(
        {"output", false, {config.getOutputRows(), config.hidden}});
  for (const Weight &weight : weights)
    if (llvm::Error error =
            declareWeight(weight.name, weight.layered, weight.shape))
      return error;
  return llvm::Error::success();
}

func::FuncOp ModelBuilder::createFunction(StringRef name,
                                          ArrayRef<Argument> arguments,
                                          TypeRange results) {
  SmallVector<Type> types;
  for (const Argument &argument : arguments)
    types.push_back(argument.type);
  auto function =
      func::FuncOp::create(b, name, b.getFunctionType(types, results));
  for (auto [i, argument] : llvm::enumerate(arguments)) {
    function.setArgAttr(i, kArgumentAttr, b.getStringAttr(argument.name));
    if (!argument.extent.empty())
      function.setArgAttr(i, kExtentAttr, b.getStringAttr(argument.extent));
  }
  b.setInsertionPointToStart(function.addEntryBlock());
  return function;
}

Value ModelBuilder::getWeight(StringRef name, Value layer) {
  auto weight = module->lookupSymbol<WeightOp>(name);
  return GetWeightOp::create(b, weight.getElementTensorType(), name, layer);
}

Value ModelBuilder::linear(Value input, StringRef weight, Value layer,
                           int64_t columns) {
  at(weight);
  return LinearOp::create(b, f32Rows(columns), input, getWeight(weight, layer));
}

Value ModelBuilder::norm(Value stream, StringRef weight, Value layer) {
  at(weight);
  return RMSNormOp::create(b, inputRows(config.hidden), stream,
                           getWeight(weight, layer),
                           b.getF64FloatAttr(config.normEps));
}

Value ModelBuilder::attention(Value normed, Value cosine, Value sine,
                              const Rows &rows) {
  int64_t queries = config.heads * config.headDim;
  int64_t keys = config.kvHeads * config.headDim;
  Value query = linear(normed, "layers.attention.wq", rows.layer, queries);
  query = RopeOp::create(b, query.getType(), query, cosine, sine);
  Value key = linear(normed, "layers.attention.wk", rows.layer, keys);
  key = RopeOp::create(b, key.getType(), key, cosine, sine);
  Value value = linear(normed, "layers.attention.wv", rows.layer, keys);

  at("layers.attention");
  CacheAppendOp::create(b, key, value, rows.cache, rows.layer, rows.positions,
                        rows.sequences, rows.tables);
  auto scoresType = RankedTensorType::get(
      {ShapedType::kDynamic, config.heads, ShapedType::kDynamic},
      b.getF32Type());
  RecordScoresOp::create(b, query, rows.cache, rows.layer, rows.positions,
                         rows.sequences, rows.tables, rows.logitRows,
                         rows.attentionScores);
  Value scores =
      AttentionScoresOp::create(b, scoresType, query, rows.cache, rows.layer,
                                rows.positions, rows.sequences, rows.tables);
  scores = CausalMaskOp::create(b, scoresType, scores, rows.positions);
  scores = SoftmaxOp::create(b, scoresType, scores);
  Value mixed = AttentionMixOp::create(b, inputRows(queries), scores,
                                       rows.cache, rows.layer, rows.positions,
                                       rows.sequences, rows.tables);
  return linear(mixed, "layers.attention.wo", rows.layer, config.hidden);
}

Value ModelBuilder::feedForward(Value normed, Value layer) {
  Value gate = linear(normed, "layers.feed_forward.w1", layer, config.ffn);
  Value up = linear(normed, "layers.feed_forward.w3", layer, config.ffn);
  at("layers.feed_forward");
  Value active = SiluOp::create(b, gate.getType(), gate);
  bool rotated =
      module->lookupSymbol<WeightOp>("layers.feed_forward.w2").getRotated();
  Value hidden = MulOp::create(
      b, rotated ? f32Rows(config.ffn) : inputRows(config.ffn), active, up);
  if (rotated)
    hidden = HadamardOp::create(b, hidden.getType(), hidden);
  return linear(hidden, "layers.feed_forward.w2", layer, config.hidden);
}

/// @layer(stream, layer, cosine, sine, cache, positions, sequences, tables,
///        logit rows, attention scores)
void ModelBuilder::buildLayer() {
  OpBuilder::InsertionGuard guard(b);
  at("layer");
  RankedTensorType stream = f32Rows(config.hidden);
  RankedTensorType angles = f32Rows(config.headDim / 2);
  func::FuncOp function =
      createFunction("layer",
                     {{"stream", stream, "rows"},
                      {"layer", b.getIndexType()},
                      {"cosine", angles, "rows"},
                      {"sine", angles, "rows"},
                      {"kv", cacheType()},
                      {"positions", indices(1), "rows"},
                      {"sequences", indices(1), "rows"},
                      {"block_tables", indices(2)},
                      {"logit_row_list", indices(1), "logit_rows"},
                      {"attention_scores", scoresType()}},
                     {stream});
  function.setPrivate();

  Value x = function.getArgument(0), layer = function.getArgument(1);
  Rows rows{function.getArgument(4), layer,
            function.getArgument(5), function.getArgument(6),
            function.getArgument(7), function.getArgument(8),
            function.getArgument(9)};
  Value normed = norm(x, "layers.attention_norm", layer);
  Value mixed =
      attention(normed, function.getArgument(2), function.getArgument(3), rows);
  at("layers.attention.residual");
  x = AddOp::create(b, x.getType(), x, mixed);
  normed = norm(x, "layers.ffn_norm", layer);
  Value branch = feedForward(normed, layer);
  at("layers.feed_forward.residual");
  x = AddOp::create(b, x.getType(), x, branch);
  func::ReturnOp::create(b, x);
}

/// @forward(tokens, positions, sequences, tables, cache, logit rows, logits,
///          attention scores)
void ModelBuilder::buildForward() {
  OpBuilder::InsertionGuard guard(b);
  at("forward");
  auto logitsType =
      MemRefType::get({ShapedType::kDynamic, config.vocab}, b.getF32Type());
  func::FuncOp function =
      createFunction("forward",
                     {{"tokens", indices(1), "rows"},
                      {"positions", indices(1), "rows"},
                      {"sequences", indices(1), "rows"},
                      {"block_tables", indices(2)},
                      {"kv", cacheType()},
                      {"logit_row_list", indices(1), "logit_rows"},
                      {"logits", logitsType, "logit_rows"},
                      {"attention_scores", scoresType()}},
                     {});
  Value tokens = function.getArgument(0), positions = function.getArgument(1);
  Value sequences = function.getArgument(2), tables = function.getArgument(3);
  Value cache = function.getArgument(4), logitRows = function.getArgument(5);

  at("tok_embeddings");
  Value x = EmbedOp::create(b, f32Rows(config.hidden), tokens,
                            getWeight("tok_embeddings", nullptr));
  at("rope");
  RankedTensorType angles = f32Rows(config.headDim / 2);
  auto rope =
      RopeAnglesOp::create(b, angles, angles, positions,
                           b.getF64ArrayAttr(config.getRopeFrequencies()));

  at("layers");
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value one = arith::ConstantIndexOp::create(b, 1);
  Value count = arith::ConstantIndexOp::create(b, config.layers);
  auto loop = scf::ForOp::create(
      b, zero, count, one, x,
      [&](OpBuilder &, Location, Value layer, ValueRange stream) {
        auto call = func::CallOp::create(
            b, "layer", TypeRange{x.getType()},
            ValueRange{stream[0], layer, rope.getCosine(), rope.getSine(),
                       cache, positions, sequences, tables, logitRows,
                       function.getArgument(7)});
        scf::YieldOp::create(b, call.getResults());
      });

  Value normed = norm(loop.getResult(0), "norm", nullptr);
  at("output");
  Value table =
      getWeight(config.tiedEmbeddings ? "tok_embeddings" : "output", nullptr);
  Value logits = LogitsOp::create(b, f32Rows(config.getOutputRows()), normed,
                                  logitRows, table);
  if (!config.outputTokens.empty())
    logits =
        SpreadLogitsOp::create(b, f32Rows(config.vocab), logits,
                               SmallVector<int32_t>(config.outputTokens.begin(),
                                                    config.outputTokens.end()));
  bufferization::MaterializeInDestinationOp::create(
      b, /*result=*/Type(), logits, function.getArgument(6), /*restrict=*/true,
      /*writable=*/true);
  func::ReturnOp::create(b);
}

llvm::Expected<OwningOpRef<ModuleOp>> ModelBuilder::build() {
  b.setInsertionPointToStart(module->getBody());
  (*module)->setAttr(kModelAttr, b.getStringAttr(manifest.path));
  (*module)->setAttr(kActivationsAttr,
                     TypeAttr::get(getNumberType(options.activations)));
  (*module)->setAttr(kCacheTypeAttr, TypeAttr::get(getCacheElementType()));
  if (options.quantization && options.quantization->rowBits != 8)
    (*module)->setAttr(kRowBitsAttr,
                       b.getI64IntegerAttr(options.quantization->rowBits));
  int64_t positions = options.maxSeqLen ? options.maxSeqLen : config.maxSeqLen;
  (*module)->setAttr(kMaxSeqLenAttr, b.getI64IntegerAttr(positions));
  if (llvm::Error error = declareWeights())
    return std::move(error);
  buildLayer();
  buildForward();
  return std::move(module);
}

llvm::Expected<OwningOpRef<ModuleOp>>
llama::buildModule(MLIRContext &context,
                   const llamaweights::OpenedModel &manifest,
                   const FrontendOptions &options) {
  context.loadDialect<LlamaDialect, arith::ArithDialect,
                      bufferization::BufferizationDialect, func::FuncDialect,
                      scf::SCFDialect>();
  return ModelBuilder(context, manifest, options).build();
}
