//===- llama-weights.cpp - Looks at checkpoints, checks, converts ---------===//
//
//   llama-weights inspect PATH | verify PATH | convert SRC DST --to=FORMAT
//                 tokenize PATH --encode=TEXT | --decode=IDS
//
// Exit code 0: done; 1: the input or the machine is at fault; 2: usage.
//
//===----------------------------------------------------------------------===//

#include "files/OutputPlace.h"
#include "weights/Formats/HubCache.h"
#include "weights/ProgressBar.h"
#include "weights/Writers/Convert.h"
#include "weights/Writers/TensorStream.h"
#include "weights/tools/Commands.h"

#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
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

static cl::SubCommand convertCommand("convert",
                                     "write a checkpoint in another format");

static cl::SubCommand
    tokenizeCommand("tokenize", "turn text into token ids, or ids into text, "
                                "with the tokenizer of a checkpoint, of a "
                                "file or of a model.so");

static cl::OptionCategory category("llama-weights");

static cl::opt<std::string> path(cl::Positional, cl::Required, cl::desc("PATH"),
                                 cl::cat(category), cl::sub(inspectCommand),
                                 cl::sub(verifyCommand),
                                 cl::sub(tokenizeCommand));
static cl::opt<std::string> source(cl::Positional, cl::Required,
                                   cl::desc("SRC"), cl::cat(category),
                                   cl::sub(convertCommand));
static cl::opt<std::string>
    destination(cl::Positional, cl::Required,
                cl::desc("DST (a folder; a file for gguf)"), cl::cat(category),
                cl::sub(convertCommand));
static cl::opt<CheckpointFormat>
    targetFormat("to", cl::cat(category), cl::sub(convertCommand),
                 cl::desc("format of DST; has to be there"),
                 cl::values(
#define FORMAT(id, name, description)                                          \
  clEnumValN(CheckpointFormat::id, name, description),
#include "weights/CheckpointFormat.def"
                     clEnumValN(CheckpointFormat::LayerPickle, "chunked",
                                "the same as maxtext")));
enum class TypeChoice { Keep, F32, F16, BF16, Q8_0, Q4_0 };
static cl::opt<TypeChoice> typeChoice(
    "dtype", cl::init(TypeChoice::Keep), cl::cat(category),
    cl::sub(convertCommand), cl::desc("type of matrices"),
    cl::values(clEnumValN(TypeChoice::Keep, "keep", "as stored (default)"),
               clEnumValN(TypeChoice::F32, "f32", "f32"),
               clEnumValN(TypeChoice::F16, "f16", "f16"),
               clEnumValN(TypeChoice::BF16, "bf16", "bf16"),
               clEnumValN(TypeChoice::Q8_0, "q8_0", "blocks of 32 (gguf)"),
               clEnumValN(TypeChoice::Q4_0, "q4_0",
                          "the same; embedding and output q8_0")));
static cl::opt<bool> checklist("checklist", cl::cat(category),
                               cl::sub(convertCommand),
                               cl::desc("write checklist.chk too (meta)"));
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
                            cl::sub(tokenizeCommand), cl::desc("print JSON"));
static cl::opt<std::string> encodeText("encode", cl::cat(category),
                                       cl::sub(tokenizeCommand),
                                       cl::value_desc("text"),
                                       cl::desc("print the ids of a text"));
static cl::opt<std::string>
    encodeFile("encode-file", cl::cat(category), cl::sub(tokenizeCommand),
               cl::value_desc("file"),
               cl::desc("print the ids of a file's text"));
static cl::opt<std::string> decodeIds("decode", cl::cat(category),
                                      cl::sub(tokenizeCommand),
                                      cl::value_desc("ids"),
                                      cl::desc("print the text of ids: 1,2,3"));
static cl::opt<bool> noBos("no-bos", cl::cat(category),
                           cl::sub(tokenizeCommand),
                           cl::desc("do not put bos in front"));
static cl::opt<bool>
    special("special", cl::cat(category), cl::sub(tokenizeCommand),
            cl::desc("special tokens in a text are tokens; print them, too"));
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

static std::optional<DType> getType() {
  switch (typeChoice.getValue()) {
  case TypeChoice::Keep:
    return std::nullopt;
  case TypeChoice::F32:
    return DType::F32;
  case TypeChoice::F16:
    return DType::F16;
  case TypeChoice::BF16:
    return DType::BF16;
  case TypeChoice::Q8_0:
    return DType::Q8_0;
  case TypeChoice::Q4_0:
    return DType::Q4_0;
  }
  llvm_unreachable("a choice");
}

// Written by signals, read between panels.
static volatile std::sig_atomic_t wasInterrupted = 0;

static Error convert() {
  Expected<OpenedModel> opened = OpenedModel::open(source, getLinks());
  if (!opened)
    return opened.takeError();
  printNotes(*opened);
  uint64_t total = 0;
  for (const TensorInfo &tensor : opened->checkpoint->getTensors())
    total +=
        uint64_t(getStreamedBytes(tensor, getType().value_or(tensor.dtype)));
  ProgressBar progress("convert", quiet, total);
  // From here on an interruption cleans up after itself.
  for (int signal : {SIGINT, SIGTERM, SIGHUP})
    std::signal(signal, [](int) { wasInterrupted = 1; });
  return convertCheckpoint(*opened, destination,
                           {targetFormat, getType(), checklist},
                           [&](int64_t bytes) -> Error {
                             progress.add(bytes);
                             if (!wasInterrupted)
                               return Error::success();
                             return createStringError("interrupted");
                           });
}

/// Whether the command line says all that it has to; a source that is not there
/// is opened all the same, and named before anything is asked for.
static bool isComplete() {
  if (convertCommand && targetFormat.getNumOccurrences() == 0 &&
      sys::fs::exists(source)) {
    errs() << "llama-weights: for the --to option: must be specified at least "
              "once!\n";
    return false;
  }
  return true;
}

static int countInputs() {
  return int(encodeText.getNumOccurrences() > 0) +
         int(encodeFile.getNumOccurrences() > 0) +
         int(decodeIds.getNumOccurrences() > 0);
}

static TokenizeOptions getTokenizeOptions() {
  TokenizeOptions options;
  if (encodeText.getNumOccurrences() > 0)
    options.text = encodeText;
  options.textFile = encodeFile;
  if (decodeIds.getNumOccurrences() > 0)
    options.ids = decodeIds;
  options.addBos = !noBos;
  options.special = special;
  options.json = asJson;
  return options;
}

static Expected<int> run() {
  if (convertCommand) {
    if (Error error = convert())
      return std::move(error);
    return 0;
  }
  Expected<std::string> found = findCheckpoint(path);
  if (!found)
    return found.takeError();
  if (tokenizeCommand) {
    if (Error error = tokenize(*found, getLinks(), getTokenizeOptions()))
      return std::move(error);
    return 0;
  }
  if (verifyCommand) {
    VerifyOptions options = {manifest, writeManifest, quiet};
    Expected<int> complaints = verify(*found, getLinks(), options);
    return complaints ? Expected<int>(*complaints > 0) : std::move(complaints);
  }
  Expected<Subject> subject = openSubject(*found, getLinks());
  if (!subject)
    return subject.takeError();
  if (std::string problem = llamafiles::checkStandardOutput(); !problem.empty())
    return createStringError(problem);
  if (Error error = inspect(*subject, {statistics, asJson, quiet}))
    return std::move(error);
  return 0;
}

int main(int argc, char **argv) {
  // A full disk is an error of write(), not a signal.
  std::signal(SIGXFSZ, SIG_IGN);
  InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::HideUnrelatedOptions(category, inspectCommand);
  cl::HideUnrelatedOptions(category, verifyCommand);
  cl::HideUnrelatedOptions(category, convertCommand);
  cl::HideUnrelatedOptions(category, tokenizeCommand);
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
  if (!inspectCommand && !verifyCommand && !convertCommand &&
      !tokenizeCommand) {
    errs() << "llama-weights: expected a command: inspect, verify, convert or "
              "tokenize; see --help\n";
    return 2;
  }
  if (tokenizeCommand && countInputs() != 1) {
    errs() << "llama-weights: tokenize: expected one of --encode, "
              "--encode-file and --decode\n";
    return 2;
  }
  if (!isComplete())
    return 2;
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
