//===- Flags.cpp - What llama-compile is asked for ------------------------===//
//
// Each flag is declared once, with its text for --help. What they say is copied
// as soon as it is known: lld, which is a library here, has flags of its own in
// the same registry and sets all of them back.
//
//===----------------------------------------------------------------------===//

#include "compiler/tools/Flags.h"

#include "compiler/Pipelines/Registration.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"

#include "llvm/Support/CommandLine.h"

using namespace mlir;
using namespace mlir::llama;
namespace cl = llvm::cl;

static cl::OptionCategory outputCategory("Output");
static cl::OptionCategory numberCategory("Numbers");
static cl::OptionCategory targetCategory("Target");
static cl::OptionCategory stageCategory("Stages");

static cl::opt<std::string> input(
    cl::Positional, cl::Required,
    cl::desc("model.json | checkpoint directory | *.gguf | ORG/NAME in the "
             "cache of Hugging Face's hub | *.mlir[bc]"));
static cl::opt<std::string>
    output("o", cl::cat(outputCategory), cl::value_desc("file"),
           cl::desc("where to write; default model.so, and standard output for "
                    "the stages before obj"));
static cl::opt<WeightStorage>
    storage("weights", cl::cat(outputCategory), cl::init(WeightStorage::Embed),
            cl::desc("where the weights go"),
            cl::values(clEnumValN(WeightStorage::Embed, "embed",
                                  "into the model (default)"),
                       clEnumValN(WeightStorage::External, "external",
                                  "into a file beside it, MODEL.weights")));
static cl::opt<std::string> symbolPrefix(
    "symbol-prefix", cl::cat(outputCategory), cl::value_desc("name"),
    cl::desc(
        "make a model that is linked into programs, with --emit=so or obj, "
        "as `extern const llamart_linked_model NAME`"));
static cl::opt<bool> followLinks(
    "follow-links", cl::cat(outputCategory),
    cl::desc("let symbolic links lead out of the checkpoint's folder"));
static cl::opt<bool> quiet("quiet", cl::cat(outputCategory),
                           cl::desc("no progress, no summary"));

static cl::opt<ActivationType> activations(
    "activations", cl::cat(numberCategory), cl::init(ActivationType::BF16),
    cl::desc("what matrix products read"),
    cl::values(clEnumValN(ActivationType::BF16, "bf16", "bf16 (default)"),
               clEnumValN(ActivationType::F32, "f32", "f32: the reference")));
static cl::opt<CacheType>
    kvType("kv-type", cl::cat(numberCategory), cl::init(CacheType::BF16),
           cl::desc("of the KV cache; default that of the activations"),
           cl::values(clEnumValN(CacheType::BF16, "bf16", "bf16"),
                      clEnumValN(CacheType::F32, "f32", "f32"),
                      clEnumValN(CacheType::Int8, "int8",
                                 "8 bits, a bf16 scale for every key and "
                                 "value of a head")));
enum class Bits : unsigned { None = 0, Int4 = 4, Int8 = 8 };
static cl::opt<Bits> quantize(
    "quantize", cl::cat(numberCategory), cl::init(Bits::None),
    cl::desc("store matrices as integers"),
    cl::values(clEnumValN(Bits::None, "none", "as in the checkpoint (default)"),
               clEnumValN(Bits::Int8, "int8", "8 bits"),
               clEnumValN(Bits::Int4, "int4",
                          "4 bits; embeddings and output 8 bits in groups of "
                          "32")));
static cl::opt<unsigned> groupSize(
    "group-size", cl::cat(numberCategory), cl::value_desc("N"), cl::init(32),
    cl::desc("elements that share a scale: 32 (default), 64, 128 or 256"));
static cl::opt<bool> asymmetric(
    "asymmetric", cl::cat(numberCategory),
    cl::desc("a minimum for every group besides its scale; default where the "
             "checkpoint has them, in groups of 32"));
static cl::opt<unsigned> activationBits(
    "activation-bits", cl::cat(numberCategory), cl::value_desc("N"),
    cl::desc("of the integers that activations become where matrices are "
             "integers: 8 (default) or 16"));
static cl::opt<int64_t>
    maxSeqLen("max-seq-len", cl::cat(numberCategory), cl::value_desc("N"),
              cl::desc("positions of a sequence; default and limit: the "
                       "model's own"));

static cl::opt<bool>
    allowNonFinite("allow-nonfinite", cl::cat(numberCategory),
                   cl::desc("go on where a weight is NaN or infinite"));

enum class Device { CPU };
static cl::opt<Device>
    device("target", cl::cat(targetCategory), cl::init(Device::CPU),
           cl::desc("what runs the model"),
           cl::values(clEnumValN(Device::CPU, "cpu", "a CPU (default)")));
static cl::opt<std::string> triple("mtriple", cl::cat(targetCategory),
                                   cl::value_desc("triple"),
                                   cl::desc("an x86-64 or aarch64 machine; "
                                            "default: this one"));
static cl::opt<std::string> cpu("mcpu", cl::cat(targetCategory),
                                cl::value_desc("name[,name...]"),
                                cl::desc("processors, each with code of its "
                                         "own; default: native, which is this "
                                         "machine's, or generic for a triple "
                                         "of another kind"));
static cl::opt<std::string>
    attributes("mattr", cl::cat(targetCategory), cl::value_desc("+a,-b"),
               cl::desc("features that the processor has or lacks beyond its "
                        "name"));

static cl::opt<Stage> lastStage("emit", cl::cat(stageCategory),
                                cl::init(Stage::SharedObject),
                                cl::desc("stop there"),
                                cl::ValuesClass({
#define STAGE(id, name, description) clEnumValN(Stage::id, name, description),
#include "compiler/Pipelines/Stages.def"
                                }));
static cl::opt<std::string>
    dumpStages("dump-stages", cl::cat(stageCategory), cl::value_desc("dir"),
               cl::desc("write the IR after every stage to "
                        "DIR/1-import.mlir, ..."));
static cl::opt<std::string> optReport(
    "opt-report", cl::cat(stageCategory), cl::value_desc("file"),
    cl::ValueOptional,
    cl::desc("which kernel every matrix product gets, and why it gets no "
             "better one: to FILE, as JSON if its name ends in .json; "
             "default standard error"));

static cl::opt<bool> requireChat(
    "require-chat", cl::cat(stageCategory),
    cl::desc("an error, not a warning, if the model has no chat template that "
             "can be run"));

//===----------------------------------------------------------------------===//
// What they say
//===----------------------------------------------------------------------===//

template <typename T, typename Option>
static std::optional<T> getGiven(const Option &option) {
  if (option.getNumOccurrences() == 0)
    return std::nullopt;
  return T(option.getValue());
}

static Flags copyFlags() {
  Flags flags;
  CompileOptions &options = flags.options;
  options.input = input;
  options.output = output;
  options.storage = storage;
  options.symbolPrefix = getGiven<std::string>(symbolPrefix);
  if (followLinks)
    options.linkPolicy = llamaweights::LinkPolicy::Anywhere;
  flags.isQuiet = quiet;
  options.activations = activations;
  options.kvType = getGiven<CacheType>(kvType);
  options.bits = static_cast<unsigned>(quantize.getValue());
  options.groupSize = getGiven<unsigned>(groupSize);
  options.isAsymmetric = asymmetric;
  options.activationBits = getGiven<unsigned>(activationBits);
  options.maxSeqLen = getGiven<int64_t>(maxSeqLen);
  if (allowNonFinite)
    options.nonFinite = NonFiniteWeights::Allowed;
  options.triple = triple;
  options.cpu = cpu;
  options.attributes = attributes;
  options.lastStage = lastStage;
  options.dumpStages = dumpStages;
  options.requireChat = requireChat;
  options.optReport = getGiven<std::string>(optReport);
  return flags;
}

/// All values of flags, of LLVM's and MLIR's too, some of which name files to
/// write to; no flag of this tool names one to read.
static std::vector<std::string> getValues(int argc, char **argv) {
  std::vector<std::string> values;
  bool isInputSeen = false;
  for (StringRef argument : ArrayRef(argv, argc).drop_front()) {
    bool isFlag = argument.starts_with("-");
    if (!isFlag && argument == input.getValue() && !isInputSeen)
      isInputSeen = true;
    else
      values.push_back((isFlag ? argument.split('=').second : argument).str());
  }
  return values;
}

std::optional<Flags> llama::parseFlags(int argc, char **argv) {
  registerAsmPrinterCLOptions();
  registerMLIRContextCLOptions();
  registerPassManagerCLOptions();
  registerDefaultTimingManagerCLOptions();
  cl::HideUnrelatedOptions(
      {&outputCategory, &numberCategory, &targetCategory, &stageCategory});
  cl::SetVersionPrinter([](llvm::raw_ostream &stream) {
    stream << getCompilerVersion() << "\n";
  });
  if (!cl::ParseCommandLineOptions(
          argc, argv,
          "llama-compile: compiles a Llama checkpoint into one shared object\n",
          &llvm::errs()))
    return std::nullopt;
  // lld has a flag of this name, in the same registry.
  cpu.removeArgument();
  attributes.removeArgument();
  Flags flags = copyFlags();
  flags.options.otherFiles = getValues(argc, argv);
  return flags;
}
