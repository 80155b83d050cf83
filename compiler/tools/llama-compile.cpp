//===- llama-compile.cpp - A checkpoint to a model.so ---------------------===//
//
//   llama-compile model.json | checkpoint directory | *.gguf | *.mlir[bc]
//     -o model.so
//
// Exit code 0: done; 1: the input or the machine is at fault; 2: usage.
//
//===----------------------------------------------------------------------===//

#include "compiler/Driver/Compilation.h"
#include "compiler/Pipelines/Registration.h"
#include "compiler/tools/Flags.h"
#include "weights/ProgressBar.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"

#include <chrono>
#include <csignal>

using namespace mlir;
using namespace mlir::llama;

static void summarize(const CompileResult &result, double seconds) {
  uint64_t size = 0;
  if (llvm::sys::fs::file_size(result.model, size))
    return;
  llvm::errs() << llvm::formatv("{0}: {1:f1} MB for {2}, in {3:f1} s\n",
                                result.model, static_cast<double>(size) / 1e6,
                                llvm::join(result.cpus, ", "), seconds);
}

static llvm::Expected<CompileResult> compileWithBar(Flags &flags,
                                                    MLIRContext &context) {
  llamaweights::ProgressBar bar("weights", flags.isQuiet);
  flags.options.progress = [&](uint64_t done, uint64_t total) {
    bar.update(done, total);
  };
  return compile(flags.options, context);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  // A file larger than the limit is an error like any other. LLVM has just
  // asked for this signal, too.
  std::signal(SIGXFSZ, SIG_IGN);
  std::optional<Flags> flags = parseFlags(argc, argv);
  if (!flags)
    return 2;

  DialectRegistry registry;
  registerLlamaCompiler(registry);
  MLIRContext context(registry);
  auto start = std::chrono::steady_clock::now();
  llvm::Expected<CompileResult> result = compileWithBar(*flags, context);
  if (!result) {
    llvm::errs() << "llama-compile: error: "
                 << llvm::toString(result.takeError()) << "\n";
    return 1;
  }
  for (const std::string &warning : result->warnings)
    llvm::errs() << "llama-compile: warning: " << warning << "\n";
  if (!flags->isQuiet)
    for (const std::string &remark : result->remarks)
      llvm::errs() << "llama-compile: note: " << remark << "\n";
  std::chrono::duration<double> passed =
      std::chrono::steady_clock::now() - start;
  if (!flags->isQuiet && !result->model.empty())
    summarize(*result, passed.count());
  return 0;
}
