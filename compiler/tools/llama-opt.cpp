//===- llama-opt.cpp - Runs passes on IR ----------------------------------===//
//
// Upstream's opt tool with our dialect, passes and pipelines.
//
//===----------------------------------------------------------------------===//

#include "compiler/Pipelines/Registration.h"
#include "files/InputFiles.h"
#include "files/OutputPlace.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"

/// That the output is not the input, which upstream would cut while it is read.
static bool checkOutput(const std::string &input, const std::string &output) {
  llamafiles::noteInput(input);
  llamafiles::OutputPlace place;
  std::string problem =
      llamafiles::findOutputPlace(output, llamafiles::Order::Streamed, place);
  if (!problem.empty())
    llvm::errs() << "llama-opt: error: " << problem << "\n";
  return problem.empty();
}

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::llama::registerLlamaCompiler(registry);
  mlir::llama::registerLlamaPasses();
  auto [input, output] = mlir::registerAndParseCLIOptions(
      argc, argv, "llama-compile's pass driver\n", registry);
  return !checkOutput(input, output) ||
         mlir::failed(mlir::MlirOptMain(argc, argv, input, output, registry));
}
