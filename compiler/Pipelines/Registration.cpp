//===- Registration.cpp - Dialects and passes of our tools ----------------===//

#include "compiler/Pipelines/Registration.h"

#include "compiler/CPU/Conversion/Passes.h"
#include "compiler/CPU/Passes.h"
#include "compiler/Pipelines/Pipelines.h"
#include "compiler/Placement/Passes.h"
#include "compiler/Transforms/Passes.h"
#include "dialects/Kernel/IR/KernelOps.h"
#include "dialects/Llama/IR/LlamaDialect.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"

using namespace mlir;

void llama::registerLlamaCompiler(DialectRegistry &registry) {
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registry.insert<KernelDialect, LlamaDialect>();
  registerKernelBufferization(registry);
}

void llama::registerLlamaPasses() {
  registerAllPasses();
  registerLlamaTransformsPasses();
  registerLlamaConversionPasses();
  registerLlamaCPUPasses();
  registerLlamaPlacementPasses();
  registerLlamaPipelines();
}
