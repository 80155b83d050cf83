//===- Pipelines.cpp - Which passes make up a stage -----------------------===//
//
// The order of passes and the reasons, nothing else.
//
//===----------------------------------------------------------------------===//

#include "compiler/Pipelines/Pipelines.h"

#include "compiler/CPU/Conversion/Passes.h"
#include "compiler/CPU/Passes.h"
#include "compiler/Transforms/Passes.h"
#include "dialects/Llama/IR/LlamaDialect.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/Vector/Transforms/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::llama;

StringRef llama::getStageName(Stage stage) {
  static constexpr StringLiteral kNames[] = {
#define STAGE(id, name, description) name,
#include "compiler/Pipelines/Stages.def"
  };
  return kNames[static_cast<int>(stage)];
}

StringRef llama::getStageDescription(Stage stage) {
  static constexpr StringLiteral kDescriptions[] = {
#define STAGE(id, name, description) description,
#include "compiler/Pipelines/Stages.def"
  };
  return kDescriptions[static_cast<int>(stage)];
}

Stage llama::findStage(ModuleOp module) {
  Stage stage = Stage::LLVM;
  module.walk([&](Operation *op) {
    StringRef dialect = op->getName().getDialectNamespace();
    Stage found = Stage::LLVM;
    if (dialect == LlamaDialect::getDialectNamespace())
      found = Stage::Import; // fusing what is fused changes nothing
    else if (dialect == "tensor" || dialect == "linalg" ||
             dialect == "bufferization")
      found = Stage::Linalg;
    else if (dialect != "llvm" && dialect != "builtin")
      found = Stage::Kernels;
    stage = std::min(stage, found);
  });
  return stage;
}

/// Folds, merges and drops what the passes before have left over.
static void addCleanup(OpPassManager &pm) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

static void buildFusePipeline(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createLlamaFuseQKVPass());
  pm.addNestedPass<func::FuncOp>(createLlamaFuseAttentionPass());
  pm.addNestedPass<func::FuncOp>(createLlamaFuseSwiGLUPass());
  pm.addNestedPass<func::FuncOp>(createLlamaFuseResidualPass());
}

static void buildLinalgPipeline(OpPassManager &pm) {
  pm.addPass(createConvertLlamaToLinalgPass());
  addCleanup(pm);
}

static void addTiling(OpPassManager &pm, const CPUSchedule &schedule) {
  LlamaCPUTileLinearsPassOptions linears;
  linears.rowsPerPass = schedule.rowsPerPass;
  linears.panelColumns = schedule.panelColumns;
  linears.blockRows = schedule.blockRows;
  linears.blockColumns = schedule.blockColumns;
  linears.quantizedRows = schedule.quantizedRows;
  linears.quantizedColumns = schedule.quantizedColumns;
  linears.amx = schedule.amx;
  linears.amxInt8 = schedule.amxInt8;
  linears.amxRowsPerPass = schedule.amxRowsPerPass;
  linears.amxPanelColumns = schedule.amxPanelColumns;
  linears.amxDepth = schedule.amxDepth;
  // Products first: an op that reads one element by element belongs to it, not
  // to a loop over rows.
  pm.addPass(createLlamaCPUTileLinearsPass(linears));
  pm.addNestedPass<func::FuncOp>(createLlamaCPUTileRowsPass());
  LlamaCPUTileOuterProductsPassOptions outer;
  outer.lanes = schedule.lanes;
  outer.sumRegisters = schedule.sumRegisters;
  pm.addNestedPass<func::FuncOp>(createLlamaCPUTileOuterProductsPass(outer));
  addCleanup(pm); // folds the slices of slices that tiling made

  LlamaCPUVectorizeQuantizedPassOptions integers;
  integers.lanes = schedule.lanes;
  integers.amx = schedule.amxInt8;
  integers.dots = schedule.byteDots;
  pm.addNestedPass<func::FuncOp>(
      createLlamaCPUVectorizeQuantizedPass(integers));
  if (schedule.bf16Pairs) {
    LlamaCPUVectorizeBF16PassOptions pairs;
    pairs.lanes = schedule.lanes;
    pairs.dots = schedule.bf16Dots;
    pm.addNestedPass<func::FuncOp>(createLlamaCPUVectorizeBF16Pass(pairs));
  }
  LlamaCPUVectorizePassOptions vectors;
  vectors.lanes = schedule.lanes;
  vectors.rowElements = schedule.rowElements;
  pm.addNestedPass<func::FuncOp>(createLlamaCPUVectorizePass(vectors));
  addCleanup(pm); // folds reads of what was just written

  // Sums leave memory for loop-carried vectors. On tensors, where it is plain
  // that nobody else writes them.
  pm.addNestedPass<func::FuncOp>(createLoopInvariantSubsetHoistingPass());
  addCleanup(pm);
}

static void addBufferization(OpPassManager &pm) {
  // Logits are computed where the caller wants them.
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  bufferization::OneShotBufferizePassOptions options;
  options.bufferizeFunctionBoundaries = true;
  options.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(options));
  addCleanup(pm); // folds copies of a buffer to itself
  // A function that works in place returns its argument: not needed any more.
  pm.addPass(bufferization::createDropEquivalentBufferResultsPass());
  addCleanup(pm);
  pm.addPass(createCanonicalizerPass()); // copies that CSE has made equal
}

static void buildKernelsPipeline(OpPassManager &pm,
                                 const CPUSchedule &schedule) {
  // Tiling needs tensors; bufferizing first would freeze copies between tiles.
  addTiling(pm, schedule);
  addBufferization(pm);
  pm.addPass(createLlamaCPUPlaceWeightsPass());
  // Before the loops lose their shape: a buffer inside of one is a thread's
  // own.
  pm.addPass(createLlamaCPUPlanWorkspacePass());
  pm.addPass(createLlamaCPUDistributePass());
  pm.addPass(createLlamaCPUEntryPointPass());
  addCleanup(pm);

  // What could not be a vector becomes scalar loops.
  pm.addNestedPass<func::FuncOp>(createLlamaCPULowerAMXTilesPass());
  pm.addNestedPass<func::FuncOp>(createLlamaCPULowerCopiesPass());
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  pm.addNestedPass<func::FuncOp>(createLlamaCPUExpandMathPass());
  pm.addNestedPass<func::FuncOp>(math::createMathUpliftToFMA());
  pm.addPass(memref::createFoldMemRefAliasOpsPass());
  // Adds whole vectors, lane by lane in one order, instead of one vector's
  // lanes.
  pm.addNestedPass<func::FuncOp>(vector::createLowerVectorMultiReductionPass(
      vector::VectorMultiReductionLowering::InnerParallel));
  VectorTransferToSCFOptions transfers;
  transfers.enableFullUnroll();
  transfers.setTargetRank(1);
  pm.addNestedPass<func::FuncOp>(createConvertVectorToSCFPass(transfers));
  addCleanup(pm);

  LlamaCPUPrefetchPassOptions prefetches;
  prefetches.rows = schedule.panelColumns;
  pm.addNestedPass<func::FuncOp>(createLlamaCPUPrefetchPass(prefetches));
}

static void buildLLVMPipeline(OpPassManager &pm) {
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass()); // what the pass before has made
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  addCleanup(pm);
}

void llama::buildStagePipeline(OpPassManager &pm, Stage stage,
                               const CPUSchedule &schedule) {
  switch (stage) {
  case Stage::Fuse:
    return buildFusePipeline(pm);
  case Stage::Linalg:
    return buildLinalgPipeline(pm);
  case Stage::Kernels:
    return buildKernelsPipeline(pm, schedule);
  case Stage::LLVM:
    return buildLLVMPipeline(pm);
  default:
    return;
  }
}

namespace {

/// Options of the registered pipelines: the schedule of a vector width.
struct PipelineOptions : PassPipelineOptions<PipelineOptions> {
  Option<int64_t> vectorBits{*this, "vector-bits",
                             llvm::cl::desc("width of a vector register"),
                             llvm::cl::init(512)};
};

} // namespace

void llama::registerLlamaPipelines() {
  for (Stage stage : {Stage::Fuse, Stage::Linalg, Stage::Kernels, Stage::LLVM})
    // Registration is a constructor.
    PassPipelineRegistration<PipelineOptions>(
        ("llama-pipeline-" + getStageName(stage)).str(),
        getStageDescription(stage),
        [stage](OpPassManager &pm, const PipelineOptions &options) {
          TargetInfo target;
          target.vectorBits = options.vectorBits;
          buildStagePipeline(pm, stage, getSchedule(target));
        });
}
