//===- Frontend.cpp - Hyper-parameters to a module of llama ops -----------===//
//
// One function per part of a decoder:
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

/// An argument: its name, and which number of rows its first dimension is
/// ("rows", "logit_rows" or "").
struct Argument {
  StringRef name;
  Type type;
  StringRef rowCount = "";
};

/// What a function is given, by name.
using Arguments = llvm::StringMap<Value>;

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
  Value callLayers(Value x, Arguments given);
  Value attention(Value normed, const Arguments &given);
  Value feedForward(Value normed, Value layer);
  Value norm(Value stream, StringRef weight, Value layer);
  Value linear(Value input, StringRef weight, Value layer, int64_t columns);
  Value getWeight(StringRef name, Value layer);
  /// Sets the insertion point into it.
  Arguments createFunction(StringRef name, ArrayRef<Argument> arguments,
                           TypeRange results);
  SmallVector<Argument> getCallArguments();
  Type getArrayType(StringRef name, unsigned sizes);
  void setLocation(StringRef name) {
    b.setLoc(NameLoc::get(b.getStringAttr(name)));
  }

  Type getActivationElement(ActivationType type) {
    return type == ActivationType::F32 ? Type(b.getF32Type())
                                       : Type(b.getBF16Type());
  }
  RankedTensorType rows(int64_t columns, Type element) {
    return RankedTensorType::get({ShapedType::kDynamic, columns}, element);
  }
  RankedTensorType f32Rows(int64_t columns) {
    return rows(columns, b.getF32Type());
  }
  RankedTensorType inputRows(int64_t columns) {
    return rows(columns, getActivationElement(options.activations));
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
  setLocation(name);
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

Arguments ModelBuilder::createFunction(StringRef name,
                                       ArrayRef<Argument> arguments,
                                       TypeRange results) {
  SmallVector<Type> types;
  for (const Argument &argument : arguments)
    types.push_back(argument.type);
  auto function =
      func::FuncOp::create(b, name, b.getFunctionType(types, results));
  if (name != "forward")
    function.setPrivate();
  b.setInsertionPointToStart(function.addEntryBlock());
  Arguments given;
  for (auto [i, argument] : llvm::enumerate(arguments)) {
    function.setArgAttr(i, kArgumentAttr, b.getStringAttr(argument.name));
    if (!argument.rowCount.empty())
      function.setArgAttr(i, kRowCountAttr, b.getStringAttr(argument.rowCount));
    given[argument.name] = function.getArgument(i);
  }
  return given;
}

/// Of an array of the call with so many dynamic sizes.
Type ModelBuilder::getArrayType(StringRef name, unsigned sizes) {
  if (name == "kv")
    return cacheType();
  if (name == "logits")
    return MemRefType::get({ShapedType::kDynamic, config.vocab},
                           b.getF32Type());
  if (name == "attention_scores")
    return MemRefType::get(
        {ShapedType::kDynamic, config.heads, ShapedType::kDynamic},
        b.getF32Type());
  return indices(sizes);
}

/// The arrays of a forward call.
SmallVector<Argument> ModelBuilder::getCallArguments() {
  SmallVector<Argument> arguments;
#define LLAMA_CALL_SIZE(name)
#define LLAMA_CALL_ARRAY(type, name, row_count, size)                          \
  arguments.push_back({#name, getArrayType(#name, 1), row_count});
#define LLAMA_CALL_ARRAY2(type, name, row_count, size0, size1)                 \
  arguments.push_back({#name, getArrayType(#name, 2), row_count});
#define LLAMA_CALL_BYTES(type, name)
#define LLAMA_CALL_FIELD(declaration, name)
#include "runtime/abi/LlamaCall.def"
  return arguments;
}

Value ModelBuilder::getWeight(StringRef name, Value layer) {
  auto weight = module->lookupSymbol<WeightOp>(name);
  return GetWeightOp::create(b, weight.getElementTensorType(), name, layer);
}

Value ModelBuilder::linear(Value input, StringRef weight, Value layer,
                           int64_t columns) {
  setLocation(weight);
  return LinearOp::create(b, f32Rows(columns), input, getWeight(weight, layer));
}

Value ModelBuilder::norm(Value stream, StringRef weight, Value layer) {
  setLocation(weight);
  return RMSNormOp::create(b, inputRows(config.hidden), stream,
                           getWeight(weight, layer),
                           b.getF64FloatAttr(config.normEps));
}

Value ModelBuilder::attention(Value normed, const Arguments &given) {
  int64_t queries = config.heads * config.headDim;
  int64_t keys = config.kvHeads * config.headDim;
  Value layer = given.lookup("layer"), cache = given.lookup("kv");
  Value cosine = given.lookup("cosine"), sine = given.lookup("sine");
  Value positions = given.lookup("positions");
  Value sequences = given.lookup("sequences");
  Value tables = given.lookup("block_tables");
  Value query = linear(normed, "layers.attention.wq", layer, queries);
  query = RopeOp::create(b, query.getType(), query, cosine, sine);
  Value key = linear(normed, "layers.attention.wk", layer, keys);
  key = RopeOp::create(b, key.getType(), key, cosine, sine);
  Value value = linear(normed, "layers.attention.wv", layer, keys);

  setLocation("layers.attention");
  CacheAppendOp::create(b, key, value, cache, layer, positions, sequences,
                        tables);
  auto scoresType = RankedTensorType::get(
      {ShapedType::kDynamic, config.heads, ShapedType::kDynamic},
      b.getF32Type());
  RecordScoresOp::create(b, query, cache, layer, positions, sequences, tables,
                         given.lookup("logit_row_list"),
                         given.lookup("attention_scores"));
  Value scores = AttentionScoresOp::create(b, scoresType, query, cache, layer,
                                           positions, sequences, tables);
  scores = CausalMaskOp::create(b, scoresType, scores, positions);
  scores = SoftmaxOp::create(b, scoresType, scores);
  Value mixed = AttentionOutputOp::create(b, inputRows(queries), scores, cache,
                                          layer, positions, sequences, tables);
  return linear(mixed, "layers.attention.wo", layer, config.hidden);
}

Value ModelBuilder::feedForward(Value normed, Value layer) {
  Value gate = linear(normed, "layers.feed_forward.w1", layer, config.ffn);
  Value up = linear(normed, "layers.feed_forward.w3", layer, config.ffn);
  setLocation("layers.feed_forward");
  Value active = SiluOp::create(b, gate.getType(), gate);
  bool rotated =
      module->lookupSymbol<WeightOp>("layers.feed_forward.w2").getRotated();
  Value hidden = MulOp::create(
      b, rotated ? f32Rows(config.ffn) : inputRows(config.ffn), active, up);
  if (rotated)
    hidden = HadamardOp::create(b, hidden.getType(), hidden);
  return linear(hidden, "layers.feed_forward.w2", layer, config.hidden);
}

/// @layer(stream, layer, cosine, sine, and what a call has but tokens and logits)
void ModelBuilder::buildLayer() {
  OpBuilder::InsertionGuard guard(b);
  setLocation("layer");
  RankedTensorType stream = f32Rows(config.hidden);
  RankedTensorType angles = f32Rows(config.headDim / 2);
  SmallVector<Argument> arguments = {{"stream", stream, "rows"},
                                     {"layer", b.getIndexType()},
                                     {"cosine", angles, "rows"},
                                     {"sine", angles, "rows"}};
  for (const Argument &argument : getCallArguments())
    if (argument.name != "tokens" && argument.name != "logits")
      arguments.push_back(argument);
  Arguments given = createFunction("layer", arguments, {stream});

  Value x = given["stream"], layer = given["layer"];
  Value normed = norm(x, "layers.attention_norm", layer);
  Value mixed = attention(normed, given);
  setLocation("layers.attention.residual");
  x = AddOp::create(b, x.getType(), x, mixed);
  normed = norm(x, "layers.ffn_norm", layer);
  Value branch = feedForward(normed, layer);
  setLocation("layers.feed_forward.residual");
  x = AddOp::create(b, x.getType(), x, branch);
  func::ReturnOp::create(b, x);
}

/// The stream after all layers.
Value ModelBuilder::callLayers(Value x, Arguments given) {
  setLocation("rope");
  RankedTensorType angles = f32Rows(config.headDim / 2);
  auto rope =
      RopeAnglesOp::create(b, angles, angles, given["positions"],
                           b.getF64ArrayAttr(config.getRopeFrequencies()),
                           b.getF64FloatAttr(config.ropeAttentionFactor));
  given["cosine"] = rope.getCosine();
  given["sine"] = rope.getSine();
  setLocation("layers");
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value one = arith::ConstantIndexOp::create(b, 1);
  Value count = arith::ConstantIndexOp::create(b, config.layers);
  auto callee = module->lookupSymbol<func::FuncOp>("layer");
  auto loop = scf::ForOp::create(
      b, zero, count, one, x,
      [&](OpBuilder &, Location, Value layer, ValueRange stream) {
        given["stream"] = stream[0];
        given["layer"] = layer;
        SmallVector<Value> operands;
        for (unsigned i = 0; i < callee.getNumArguments(); ++i)
          operands.push_back(given.lookup(
              callee.getArgAttrOfType<StringAttr>(i, kArgumentAttr)));
        auto call = func::CallOp::create(b, callee, operands);
        scf::YieldOp::create(b, call.getResults());
      });
  return loop.getResult(0);
}

/// @forward: what a call has.
void ModelBuilder::buildForward() {
  OpBuilder::InsertionGuard guard(b);
  setLocation("forward");
  Arguments given = createFunction("forward", getCallArguments(), {});
  setLocation("tok_embeddings");
  Value x = EmbedOp::create(b, f32Rows(config.hidden), given["tokens"],
                            getWeight("tok_embeddings", nullptr));
  x = callLayers(x, given);
  Value normed = norm(x, "norm", nullptr);
  setLocation("output");
  Value table =
      getWeight(config.tiedEmbeddings ? "tok_embeddings" : "output", nullptr);
  Value logits = LogitsOp::create(b, f32Rows(config.getOutputRows()), normed,
                                  given["logit_row_list"], table);
  if (!config.outputTokens.empty())
    logits = ScatterLogitsOp::create(
        b, f32Rows(config.vocab), logits,
        SmallVector<int32_t>(config.outputTokens.begin(),
                             config.outputTokens.end()));
  bufferization::MaterializeInDestinationOp::create(
      b, /*result=*/Type(), logits, given["logits"], /*restrict=*/true,
      /*writable=*/true);
  func::ReturnOp::create(b);
}

llvm::Expected<OwningOpRef<ModuleOp>> ModelBuilder::build() {
  b.setInsertionPointToStart(module->getBody());
  (*module)->setAttr(kModelAttr, b.getStringAttr(manifest.path));
  (*module)->setAttr(kActivationsAttr,
                     TypeAttr::get(getActivationElement(options.activations)));
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
