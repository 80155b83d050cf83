//===- Pipelines.cpp - Which passes make up a stage -----------------------===//
//
// The order of passes and the reasons, nothing else.
//
//===----------------------------------------------------------------------===//

#include "compiler/Pipelines/Pipelines.h"

#include "compiler/CPU/Conversion/Passes.h"
#include "compiler/CPU/Passes.h"
#include "compiler/Placement/Passes.h"
#include "compiler/Transforms/Passes.h"
#include "dialects/Kernel/IR/KernelOps.h"
#include "dialects/Llama/IR/LlamaOps.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/Transforms/Passes.h"
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

/// By the dialects that are in it.
static Stage guessStage(ModuleOp module) {
  Stage stage = Stage::LLVM;
  module.walk([&](Operation *op) {
    if (isa<WeightOp>(op)) // stays to the end
      return;
    StringRef dialect = op->getName().getDialectNamespace();
    Stage found = Stage::LLVM;
    if (dialect == LlamaDialect::getDialectNamespace())
      found = Stage::Import; // fusing what is fused changes nothing
    else if (dialect == "tensor" || dialect == "linalg" ||
             dialect == "bufferization" || isa<MatmulOp>(op))
      found = Stage::Linalg;
    else if (dialect != "llvm" && dialect != "builtin")
      found = Stage::Kernels;
    stage = std::min(stage, found);
  });
  return stage;
}

Stage llama::findStage(ModuleOp module) {
  if (auto name = module->getAttrOfType<StringAttr>(kStageAttr))
    for (int i = 0; i <= static_cast<int>(kLastIRStage); ++i)
      if (auto stage = static_cast<Stage>(i); name == getStageName(stage))
        return stage;
  return guessStage(module);
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

static void addTiling(OpPassManager &pm) {
  // Products first: an op that reads one element by element belongs to it, not
  // to a loop over rows.
  pm.addNestedPass<func::FuncOp>(createLlamaCPUTileMatmulsPass());
  pm.addNestedPass<func::FuncOp>(createLlamaCPUTileRowsPass());
  pm.addNestedPass<func::FuncOp>(createLlamaCPUTileOuterProductsPass());
  addCleanup(pm); // folds the slices of slices that tiling made

  pm.addNestedPass<func::FuncOp>(createLlamaCPUVectorizePass());
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

static void addPlacement(OpPassManager &pm) {
  // No signature changes after this.
  pm.addPass(createLlamaAddCallArgumentsPass());
  // Before the loops lose their shape: a buffer inside of one is a thread's
  // own.
  pm.addPass(createLlamaAssignWorkspacePass());
  // Before products lose theirs: a barrier says which follow it.
  pm.addPass(createLlamaCPUForallToThreadsPass());
  pm.addNestedPass<func::FuncOp>(createLlamaCPULowerMatmulsPass());
  pm.addPass(createLlamaCPUOutlineTilesPass());
  // When nothing is moved any more: where a buffer is says how long it lives.
  pm.addNestedPass<func::FuncOp>(createLlamaAssignStackPass());
  pm.addPass(func::createDuplicateFunctionEliminationPass());
  pm.addPass(createLlamaAssignWeightOffsetsPass());
  pm.addPass(createLlamaCPUEntryPointPass());
  addCleanup(pm);
}

static void buildKernelsPipeline(OpPassManager &pm, const TargetNames &target) {
  LlamaCPUSelectKernelsPassOptions names;
  names.mtriple = target.triple;
  names.mcpu = target.cpu;
  names.mattr = target.attributes;
  pm.addPass(createLlamaCPUSelectKernelsPass(names));
  // Tiling needs tensors; bufferizing first would freeze copies between tiles.
  addTiling(pm);
  addBufferization(pm);
  addPlacement(pm);

  // What is small and could not be a vector becomes scalar loops.
  pm.addNestedPass<func::FuncOp>(createLlamaCPULowerCopiesPass());
  pm.addNestedPass<func::FuncOp>(createLlamaCPUCheckKernelsPass());
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
  // Text does not say whether a sum of three in an affine map is (a + b) + c
  // or a + (b + c): none is left to be written.
  pm.addPass(createLowerAffinePass());
  addCleanup(pm);
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
                               const TargetNames &target) {
  switch (stage) {
  case Stage::Fuse:
    return buildFusePipeline(pm);
  case Stage::Linalg:
    return buildLinalgPipeline(pm);
  case Stage::Kernels:
    return buildKernelsPipeline(pm, target);
  case Stage::LLVM:
    return buildLLVMPipeline(pm);
  default:
    return;
  }
}

namespace {

/// Options of the registered pipelines: as those of llama-compile.
struct PipelineOptions : PassPipelineOptions<PipelineOptions> {
  Option<std::string> cpu{*this, "mcpu", llvm::cl::desc("processor")};
  Option<std::string> triple{*this, "mtriple", llvm::cl::desc("machine")};
  Option<std::string> attributes{
      *this, "mattr", llvm::cl::desc("features beyond the processor's: +a,-b")};
};

} // namespace

void llama::registerLlamaPipelines() {
  for (Stage stage : {Stage::Fuse, Stage::Linalg, Stage::Kernels, Stage::LLVM})
    // Registration is a constructor.
    PassPipelineRegistration<PipelineOptions>(
        ("llama-pipeline-" + getStageName(stage)).str(),
        getStageDescription(stage),
        [stage](OpPassManager &pm, const PipelineOptions &options) {
          buildStagePipeline(pm, stage,
                             {options.triple, options.cpu, options.attributes});
        });
}
