//===- llama-weights.cpp - Looks at checkpoints, checks, converts ---------===//
//
//   llama-weights inspect PATH | verify PATH | convert SRC DST --to=FORMAT
//
// Exit code 0: done; 1: the input or the machine is at fault; 2: usage.
//
//===----------------------------------------------------------------------===//

#include "weights/tools/Commands.h"

#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

#include <csignal>

using namespace llvm;
using namespace llamaweights;

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

static cl::SubCommand
    inspectCommand("inspect", "print hyper-parameters and tensors of a "
                              "checkpoint, a file of tensors or a model.so");
static cl::SubCommand
    verifyCommand("verify", "check sums, structure, shapes and every number");

static cl::OptionCategory category("llama-weights");

static cl::opt<std::string> path(cl::Positional, cl::Required, cl::desc("PATH"),
                                 cl::cat(category), cl::sub(inspectCommand),
                                 cl::sub(verifyCommand));
static cl::opt<bool> followLinks("follow-links", cl::cat(category),
                                 cl::desc("let symbolic links lead out of the "
                                          "checkpoint's folder"),
                                 cl::sub(cl::SubCommand::getAll()));
static cl::opt<bool> quiet("quiet", cl::cat(category), cl::desc("no progress"),
                           cl::sub(cl::SubCommand::getAll()));
static cl::opt<bool> statistics(
    "stats", cl::cat(category), cl::sub(inspectCommand),
    cl::desc("min, max, mean, deviation, NaN, Inf and the first values"));
static cl::opt<bool> asJson("json", cl::cat(category), cl::sub(inspectCommand),
                            cl::desc("print JSON"));
static cl::opt<std::string>
    manifest("manifest", cl::cat(category), cl::sub(verifyCommand),
             cl::value_desc("file"),
             cl::desc("compare files and tensors with this list of hashes"));
static cl::opt<std::string>
    writeManifest("write-manifest", cl::cat(category), cl::sub(verifyCommand),
                  cl::value_desc("file"),
                  cl::desc("write such a list, if there is no complaint"));

//===----------------------------------------------------------------------===//
// Commands
//===----------------------------------------------------------------------===//

static LinkPolicy getLinks() {
  return followLinks ? LinkPolicy::Anywhere : LinkPolicy::WithinFolder;
}

static Expected<int> run() {
  if (verifyCommand) {
    VerifyOptions options = {manifest, writeManifest, quiet};
    Expected<int> complaints = verify(path, getLinks(), options);
    return complaints ? Expected<int>(*complaints > 0) : std::move(complaints);
  }
  Expected<Subject> subject = openSubject(path, getLinks());
  if (!subject)
    return subject.takeError();
  if (Error error = inspect(*subject, {statistics, asJson, quiet}))
    return std::move(error);
  return 0;
}

int main(int argc, char **argv) {
  // A full disk is an error of write(), not a signal.
  std::signal(SIGXFSZ, SIG_IGN);
  InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category, inspectCommand);
  cl::HideUnrelatedOptions(category, verifyCommand);
  cl::SetVersionPrinter([](raw_ostream &out) {
    out << "llama-weights " LLAMA_VERSION " (LLVM " LLVM_VERSION_STRING ")\n";
  });
  std::string complaint;
  raw_string_ostream complaints(complaint);
  if (!cl::ParseCommandLineOptions(argc, argv,
                                   "Looks at Llama checkpoints of any format, "
                                   "checks and converts them\n",
                                   &complaints)) {
    errs() << complaint;
    return 2;
  }
  if (!inspectCommand && !verifyCommand) {
    errs() << "llama-weights: expected a command: inspect or verify; see "
              "--help\n";
    return 2;
  }
  Expected<int> code = run();
  if (!code) {
    errs() << "llama-weights: error: " << toString(code.takeError()) << "\n";
    return 1;
  }
  outs().flush();
  if (std::error_code failure = outs().error()) {
    outs().clear_error();
    errs() << "llama-weights: error: standard output: cannot be written: "
           << failure.message() << "\n";
    return 1;
  }
  return *code;
}
