//===- llama-opt.cpp - Runs passes on IR ----------------------------------===//
//
// Upstream's opt tool with our dialect, passes and pipelines.
//
//===----------------------------------------------------------------------===//

#include "compiler/Pipelines/Registration.h"
#include "files/InputFiles.h"
#include "files/OutputPlace.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"

#include <unistd.h>

/// That the output is not the input, which upstream would cut while it is read,
/// and that no other flag names it, for some are files to write.
static bool checkOutputs(llvm::ArrayRef<char *> arguments,
                         const std::string &input, const std::string &output) {
  if (input == "-")
    llamafiles::noteInput(STDIN_FILENO);
  else
    llamafiles::noteInput(input);
  std::vector<llamafiles::Output> outputs = {
      {output, llamafiles::Order::Streamed}};
  for (llvm::StringRef argument : arguments)
    if (std::string value = argument.split('=').second.str();
        llamafiles::isInput(value))
      outputs.push_back({value, llamafiles::Order::Streamed});
  std::string problem = llamafiles::checkOutputs(outputs);
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
  return !checkOutputs({argv, static_cast<size_t>(argc)}, input, output) ||
         mlir::failed(mlir::MlirOptMain(argc, argv, input, output, registry));
}
