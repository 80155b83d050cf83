//===- Pipelines.h - Which passes make up a stage ---------------*- C++ -*-===//

#ifndef LLAMA_COMPILER_PIPELINES_PIPELINES_H
#define LLAMA_COMPILER_PIPELINES_PIPELINES_H

#include "compiler/Machine/TargetInfo.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

namespace mlir::llama {

/// In the order in which they follow each other.
enum class Stage {
#define STAGE(id, name, description) id,
#include "compiler/Pipelines/Stages.def"
};

StringRef getStageName(Stage stage);
StringRef getStageDescription(Stage stage);

/// The last stage of which the result is IR.
inline constexpr Stage kLastIRStage = Stage::LLVM;

/// The stage that `module` has reached: its kStageAttr, or, of IR that was not
/// written by llama-compile, what the dialects in it tell.
Stage findStage(ModuleOp module);

/// The machine that kernels are made for, by its names; all empty: that of the
/// module's kTargetAttr, or this one.
struct TargetNames {
  std::string triple, cpu, attributes;
};

/// The passes that lead from the stage before `stage` to it. Nothing for Import
/// and for what comes after kLastIRStage.
void buildStagePipeline(OpPassManager &pm, Stage stage,
                        const TargetNames &target = {});

/// llama-opt's --llama-pipeline-fuse, -linalg, -kernels, -llvm.
void registerLlamaPipelines();

} // namespace mlir::llama

#endif // LLAMA_COMPILER_PIPELINES_PIPELINES_H
