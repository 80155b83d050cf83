//===- llama-opt.cpp - Runs passes on IR ----------------------------------===//
//
// Upstream's opt tool with our dialect, passes and pipelines.
//
//===----------------------------------------------------------------------===//

#include "compiler/Pipelines/Registration.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::llama::registerLlamaCompiler(registry);
  mlir::llama::registerLlamaPasses();
  return mlir::failed(
      mlir::MlirOptMain(argc, argv, "llama-compile's pass driver\n", registry));
}
