//===- llama-compile.cpp - A checkpoint to a model.so ---------------------===//
//
//   llama-compile model.json | checkpoint directory | *.gguf | *.mlir[bc]  -o
//   model.so
//
// Exit code 0: done; 1: the input or the machine is at fault; 2: usage.
//
//===----------------------------------------------------------------------===//

#include "compiler/Frontend/Frontend.h"
#include "compiler/Pipelines/Pipelines.h"
#include "compiler/Pipelines/Registration.h"
#include "compiler/Target/EmbedWeights.h"
#include "compiler/Target/EmitObject.h"
#include "compiler/Target/LinkSharedObject.h"
#include "compiler/Target/ModelInfo.h"
#include "compiler/tools/OptReport.h"
#include "compiler/tools/Progress.h"
#include "dialects/Llama/IR/LlamaAttributes.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"

#include <csignal>

using namespace mlir;
using namespace mlir::llama;
namespace cl = llvm::cl;
using llamaweights::ModelManifest;

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

static cl::OptionCategory outputCategory("Output");
static cl::OptionCategory numberCategory("Numbers");
static cl::OptionCategory targetCategory("Target");
static cl::OptionCategory stageCategory("Stages");

static cl::opt<std::string>
    input(cl::Positional, cl::Required,
          cl::desc("model.json | checkpoint directory | *.gguf | *.mlir[bc]"));
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
static cl::opt<bool> followLinks(
    "follow-links", cl::cat(outputCategory),
    cl::desc("let symbolic links lead out of the checkpoint's folder"));
static cl::opt<bool> quiet("quiet", cl::cat(outputCategory),
                           cl::desc("no progress, no summary"));

static cl::opt<NumberType> activations(
    "activations", cl::cat(numberCategory), cl::init(NumberType::BF16),
    cl::desc("what matrix products read"),
    cl::values(clEnumValN(NumberType::BF16, "bf16", "bf16 (default)"),
               clEnumValN(NumberType::F32, "f32", "f32: the reference")));
static cl::opt<CacheType>
    kvType("kv-type", cl::cat(numberCategory), cl::init(CacheType::BF16),
           cl::desc("of the KV cache; default that of the activations"),
           cl::values(clEnumValN(CacheType::BF16, "bf16", "bf16"),
                      clEnumValN(CacheType::F32, "f32", "f32"),
                      clEnumValN(CacheType::Int8, "int8",
                                 "8 bits, a bf16 scale for every key and "
                                 "value of a head")));
enum class Bits { None, Int8, Int4 };
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

//===----------------------------------------------------------------------===//
// From input to IR
//===----------------------------------------------------------------------===//

namespace {

/// What is compiled: the module and, once it is asked for, its checkpoint.
class Compilation {
public:
  explicit Compilation(MLIRContext &context) : context(context) {}

  llvm::Error run();

private:
  llvm::Error open();
  llvm::Error buildFromCheckpoint();
  llvm::Error parse();
  llvm::Error chooseTargets();
  llvm::Error openCheckpoint(StringRef path);
  llvm::Error lower();
  llvm::Error lowerTo(Stage stage);
  void splitByTarget();
  llvm::Error dump(ModuleOp module, const TargetInfo &target, Stage stage);
  llvm::Error writeReport();
  llvm::Error writeIR();
  llvm::Error writeCode();
  llvm::Error writeModel();
  llvm::Error link(const ObjectData &data, OutputFile &file);
  llvm::Expected<std::vector<std::string>> writeWeights(OutputFile &file,
                                                        uint64_t begin);
  void summarize(StringRef path, double seconds);

  // lld sets every flag of the process back: what is asked for after linking
  // must be known before.
  const std::string outputPath =
      output.empty() ? "model.so" : output.getValue();
  const WeightStorage weightStorage = storage;
  const bool isQuiet = quiet;
  const llamaweights::LinkPolicy linkPolicy =
      followLinks ? llamaweights::LinkPolicy::Anywhere
                  : llamaweights::LinkPolicy::WithinFolder;

  MLIRContext &context;
  llvm::SourceMgr sources;
  /// One for each target, or one for all until their kernels differ.
  std::vector<OwningOpRef<ModuleOp>> modules;
  std::optional<OptReport> report; ///< if one is asked for
  std::optional<ModelManifest> manifest;
  std::vector<TargetInfo> targets; ///< the one that asks for most comes first
  Stage stage = Stage::Import;
};

} // namespace

static bool isIR(StringRef path) {
  return path.ends_with(".mlir") || path.ends_with(".mlirbc");
}

llvm::Error Compilation::openCheckpoint(StringRef path) {
  if (manifest)
    return llvm::Error::success();
  llvm::Expected<ModelManifest> opened = ModelManifest::open(path, linkPolicy);
  if (!opened)
    return opened.takeError();
  manifest.emplace(std::move(*opened));
  return llvm::Error::success();
}

static llvm::Expected<std::optional<Quantization>> chooseQuantization() {
  bool isGiven = groupSize.getNumOccurrences() > 0;
  if (quantize == Bits::None) {
    if (isGiven)
      return llvm::createStringError(
          "--group-size=%u: needs --quantize=int8 or int4",
          groupSize.getValue());
    if (activationBits.getNumOccurrences() > 0)
      return llvm::createStringError(
          "--activation-bits=%u: needs --quantize=int8 or int4",
          activationBits.getValue());
    if (asymmetric)
      return llvm::createStringError(
          "--asymmetric: needs --quantize=int8 or int4");
    return std::nullopt;
  }
  unsigned bits = quantize == Bits::Int8 ? 8 : 4;
  unsigned group = groupSize;
  if (group != 32 && group != 64 && group != 128 && group != 256)
    return llvm::createStringError(
        "--group-size=%u: expected 32, 64, 128 or 256", group);
  unsigned rowBits =
      activationBits.getNumOccurrences() > 0 ? activationBits.getValue() : 8;
  if (rowBits != 8 && rowBits != 16)
    return llvm::createStringError("--activation-bits=%u: expected 8 or 16",
                                   rowBits);
  return Quantization{bits, group, asymmetric, rowBits};
}

llvm::Error Compilation::buildFromCheckpoint() {
  if (llvm::Error error = openCheckpoint(input))
    return error;
  int64_t limit = manifest->config.maxSeqLen;
  if (maxSeqLen.getNumOccurrences() && (maxSeqLen < 1 || maxSeqLen > limit))
    return llvm::createStringError("--max-seq-len=%lld: expected 1 to %lld",
                                   static_cast<long long>(maxSeqLen),
                                   static_cast<long long>(limit));
  FrontendOptions options;
  options.activations = activations;
  if (kvType.getNumOccurrences())
    options.kvType = kvType;
  else if (activations == NumberType::F32)
    options.kvType = CacheType::F32;
  options.maxSeqLen = maxSeqLen;
  if (llvm::Error error = chooseQuantization().moveInto(options.quantization))
    return error;
  llvm::Expected<OwningOpRef<ModuleOp>> built =
      buildModule(context, *manifest, options);
  if (!built)
    return built.takeError();
  modules.push_back(std::move(*built));
  return llvm::Error::success();
}

llvm::Error Compilation::parse() {
  SourceMgrDiagnosticHandler handler(sources, &context);
  auto buffer = llvm::MemoryBuffer::getFile(input);
  if (!buffer)
    return llvm::createStringError("%s: cannot be read: %s", input.c_str(),
                                   buffer.getError().message().c_str());
  sources.AddNewSourceBuffer(std::move(*buffer), llvm::SMLoc());
  modules.push_back(parseSourceFile<ModuleOp>(sources, &context));
  if (!modules[0])
    return llvm::createStringError("%s: is no valid MLIR", input.c_str());
  stage = findStage(*modules[0]);
  return llvm::Error::success();
}

/// The machines: those of the flags, or the one for which the kernels of a
/// dumped stage were made.
llvm::Error Compilation::chooseTargets() {
  std::string wantedTriple = triple, wantedCPU = cpu;
  std::string wantedAttributes = attributes;
  auto made = (*modules[0])->getAttrOfType<DictionaryAttr>(kTargetAttr);
  if (made) {
    auto field = [&](StringRef name) {
      auto text = made.getAs<StringAttr>(name);
      return text ? text.str() : std::string();
    };
    wantedTriple = field("triple");
    wantedCPU = field("cpu");
    wantedAttributes = field("features");
  }
  SmallVector<StringRef> names;
  StringRef(wantedCPU).split(names, ',');
  for (StringRef name : names) {
    llvm::Expected<TargetInfo> chosen =
        TargetInfo::get(wantedTriple, name, wantedAttributes);
    if (!chosen)
      return chosen.takeError();
    if (llvm::is_contained(ArrayRef(names).take_front(targets.size()), name))
      return llvm::createStringError("--mcpu=%s: names '%s' twice",
                                     wantedCPU.c_str(), name.str().c_str());
    targets.push_back(std::move(*chosen));
  }
  if (targets.size() > 1 && lastStage > Stage::Linalg &&
      lastStage != Stage::SharedObject)
    return llvm::createStringError(
        "--emit=%s: expected one processor, --mcpu names %zu",
        getStageName(lastStage).data(), targets.size());
  llvm::sort(targets, [](const TargetInfo &a, const TargetInfo &b) {
    return std::pair(b.getRequiredFeatures().size(), a.cpu) <
           std::pair(a.getRequiredFeatures().size(), b.cpu);
  });
  return llvm::Error::success();
}

llvm::Error Compilation::open() {
  if (llvm::Error error = isIR(input) ? parse() : buildFromCheckpoint())
    return error;
  return chooseTargets();
}

//===----------------------------------------------------------------------===//
// From stage to stage
//===----------------------------------------------------------------------===//

/// With locations where nothing else says which llama op something comes from.
static std::string printModule(ModuleOp module, Stage reached) {
  OpPrintingFlags flags;
  if (reached == Stage::Linalg)
    flags.enableDebugInfo();
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, flags);
  return text;
}

llvm::Error Compilation::dump(ModuleOp module, const TargetInfo &target,
                              Stage reached) {
  if (dumpStages.empty())
    return llvm::Error::success();
  SmallString<128> path(dumpStages);
  std::string variant = modules.size() > 1 ? "." + target.cpu : "";
  llvm::sys::path::append(path, llvm::formatv("{0}-{1}{2}.mlir",
                                              static_cast<int>(reached) + 1,
                                              getStageName(reached), variant));
  std::error_code code = llvm::sys::fs::create_directories(dumpStages);
  if (code)
    return llvm::createStringError("%s: cannot be made: %s", dumpStages.c_str(),
                                   code.message().c_str());
  llvm::Expected<OutputFile> file = OutputFile::create(path);
  if (!file)
    return file.takeError();
  std::string text = printModule(module, reached);
  if (llvm::Error error = file->write(0, ArrayRef(text.data(), text.size())))
    return error;
  return file->keep();
}

/// Kernels are the first stage that depends on the processor.
void Compilation::splitByTarget() {
  while (modules.size() < targets.size())
    modules.push_back(modules[0]->clone());
  Builder b(&context);
  for (auto [module, target] : llvm::zip_equal(modules, targets)) {
    NamedAttrList made;
    made.append("triple", b.getStringAttr(target.triple));
    made.append("cpu", b.getStringAttr(target.cpu));
    made.append("features", b.getStringAttr(target.features));
    (*module)->setAttr(kTargetAttr, made.getDictionary(&context));
  }
}

llvm::Error Compilation::lowerTo(Stage next) {
  if (next == Stage::Kernels)
    splitByTarget();
  SourceMgrDiagnosticHandler handler(sources, &context);
  for (auto [module, target] : llvm::zip(modules, targets)) {
    PassManager pm(&context);
    if (failed(applyPassManagerCLOptions(pm)))
      return llvm::createStringError("a pass manager flag does not apply");
    applyDefaultTimingPassManagerCLOptions(pm);
    buildStagePipeline(pm, next, getSchedule(target));
    if (report && next == Stage::Kernels)
      report->begin(target);
    if (failed(pm.run(*module)))
      return llvm::createStringError("%s: stage '%s' failed", input.c_str(),
                                     getStageName(next).data());
    if (llvm::Error error = dump(*module, target, next))
      return error;
  }
  return llvm::Error::success();
}

llvm::Error Compilation::lower() {
  if (stage == Stage::Import)
    if (llvm::Error error = dump(*modules[0], targets[0], stage))
      return error;
  Stage last = std::min(lastStage.getValue(), kLastIRStage);
  while (stage < last) {
    stage = static_cast<Stage>(static_cast<int>(stage) + 1);
    if (llvm::Error error = lowerTo(stage))
      return error;
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// From IR to files
//===----------------------------------------------------------------------===//

static llvm::Error writeWhole(StringRef path, ArrayRef<char> bytes) {
  llvm::Expected<OutputFile> file = OutputFile::create(path);
  if (!file)
    return file.takeError();
  if (llvm::Error error = file->write(0, bytes))
    return error;
  return file->keep();
}

static llvm::Error print(StringRef text) {
  llvm::outs() << text;
  llvm::outs().flush();
  std::error_code code = llvm::outs().error();
  llvm::outs().clear_error();
  return code
             ? llvm::createStringError("standard output: cannot be written: %s",
                                       code.message().c_str())
             : llvm::Error::success();
}

llvm::Error Compilation::writeReport() {
  if (!report)
    return llvm::Error::success();
  if (optReport.empty() || optReport == "-") {
    llvm::errs() << report->getText();
    return llvm::Error::success();
  }
  std::string text = StringRef(optReport).ends_with(".json")
                         ? report->getJson()
                         : report->getText();
  return writeWhole(optReport, ArrayRef(text.data(), text.size()));
}

llvm::Error Compilation::writeIR() {
  std::string text = printModule(*modules[0], stage);
  if (StringRef(output).ends_with(".mlirbc")) {
    text.clear();
    llvm::raw_string_ostream stream(text);
    if (failed(writeBytecodeToFile(*modules[0], stream)))
      return llvm::createStringError("%s: cannot be written as bytecode",
                                     output.c_str());
  }
  if (output.empty() || output == "-") {
    return print(text);
  }
  return writeWhole(output, ArrayRef(text.data(), text.size()));
}

llvm::Error Compilation::writeCode() {
  bool isAssembly = lastStage == Stage::Assembly;
  llvm::Expected<SmallVector<char, 0>> code =
      emitCode(*modules[0], targets[0], getEntryPoints(0), ObjectData(),
               isAssembly ? CodeFormat::Assembly : CodeFormat::Object);
  if (!code)
    return code.takeError();
  if (isAssembly && (output.empty() || output == "-")) {
    return print(StringRef(code->data(), code->size()));
  }
  return writeWhole(output.empty() ? "model.o" : output.getValue(), *code);
}

llvm::Expected<std::vector<std::string>>
Compilation::writeWeights(OutputFile &file, uint64_t begin) {
  llvm::Expected<SmallVector<PlacedWeight>> weights =
      getPlacedWeights(*modules[0]);
  if (!weights)
    return weights.takeError();
  ProgressBar bar("weights", isQuiet);
  return embedWeights(
      *weights, *manifest->checkpoint, file, begin,
      [&](uint64_t done, uint64_t total) { bar.update(done, total); });
}

/// Code for every target; the data stands beside that of the first.
llvm::Error Compilation::link(const ObjectData &data, OutputFile &file) {
  std::vector<SmallVector<char, 0>> objects;
  for (auto [i, module] : llvm::enumerate(modules)) {
    llvm::Expected<SmallVector<char, 0>> code =
        emitCode(*module, targets[i], getEntryPoints(i),
                 i == 0 ? data : ObjectData(), CodeFormat::Object);
    if (!code)
      return code.takeError();
    objects.push_back(std::move(*code));
  }
  return linkSharedObject(objects, file);
}

llvm::Error Compilation::writeModel() {
  auto path = (*modules[0])->getAttrOfType<StringAttr>(kModelAttr);
  if (!path)
    return llvm::createStringError("%s: the module has no attribute '%s'",
                                   input.c_str(), kModelAttr.data());
  if (llvm::Error error = openCheckpoint(path))
    return error;
  std::string weightsPath = outputPath + ".weights";
  StringRef weightsName = weightStorage == WeightStorage::External
                              ? llvm::sys::path::filename(weightsPath)
                              : "";
  SmallVector<ModuleOp> all = llvm::map_to_vector(
      modules, [](const OwningOpRef<ModuleOp> &module) { return *module; });
  llvm::Expected<ObjectData> data =
      describeModel(all, *manifest, targets, weightStorage, weightsName);
  if (!data)
    return data.takeError();
  llvm::Expected<OutputFile> file = OutputFile::create(outputPath);
  if (!file)
    return file.takeError();
  if (llvm::Error error = link(*data, *file))
    return error;
  if (weightStorage == WeightStorage::External) {
    llvm::Expected<OutputFile> weights = OutputFile::create(weightsPath);
    if (!weights)
      return weights.takeError();
    auto hashes = writeWeights(*weights, 0);
    if (!hashes)
      return hashes.takeError();
    if (llvm::Error error = recordHashes(*data, *hashes, *file))
      return error;
    if (llvm::Error error = weights->keep())
      return error;
  } else {
    llvm::Expected<uint64_t> begin =
        openWeightsSection(*file, data->weightsBytes);
    if (!begin)
      return begin.takeError();
    auto hashes = writeWeights(*file, *begin);
    if (!hashes)
      return hashes.takeError();
    if (llvm::Error error = recordHashes(*data, *hashes, *file))
      return error;
  }
  return file->keep(/*isExecutable=*/true);
}

void Compilation::summarize(StringRef path, double seconds) {
  uint64_t size = 0;
  if (isQuiet || llvm::sys::fs::file_size(path, size))
    return;
  std::string names = llvm::join(
      llvm::map_range(targets, [](const TargetInfo &t) { return t.cpu; }),
      ", ");
  llvm::errs() << llvm::formatv("{0}: {1:f1} MB for {2}, in {3:f1} s\n", path,
                                static_cast<double>(size) / 1e6, names,
                                seconds);
}

llvm::Error Compilation::run() {
  auto start = std::chrono::steady_clock::now();
  if (llvm::Error error = open())
    return error;
  if (stage > lastStage)
    return llvm::createStringError("%s: is at stage '%s', behind '%s'",
                                   input.c_str(), getStageName(stage).data(),
                                   getStageName(lastStage).data());
  if (optReport.getNumOccurrences() > 0) {
    if (stage >= Stage::Kernels || lastStage < Stage::Kernels)
      return llvm::createStringError(
          "--opt-report: kernels are chosen on the way to stage '%s', this "
          "goes from '%s' to '%s'",
          getStageName(Stage::Kernels).data(), getStageName(stage).data(),
          getStageName(lastStage).data());
    report.emplace(context);
  }
  if (llvm::Error error = lower())
    return error;
  if (llvm::Error error = writeReport())
    return error;
  if (lastStage <= kLastIRStage)
    return writeIR();
  if (lastStage != Stage::SharedObject)
    return writeCode();
  if (llvm::Error error = writeModel())
    return error;
  std::chrono::duration<double> passed =
      std::chrono::steady_clock::now() - start;
  summarize(outputPath, passed.count());
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  // A file larger than the limit is an error like any other. LLVM has just
  // asked for this signal, too.
  std::signal(SIGXFSZ, SIG_IGN);
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
    return 2;
  // lld has a flag of this name, in the same registry.
  cpu.removeArgument();
  attributes.removeArgument();

  DialectRegistry registry;
  registerLlamaCompiler(registry);
  MLIRContext context(registry);
  if (llvm::Error error = Compilation(context).run()) {
    llvm::errs() << "llama-compile: error: " << llvm::toString(std::move(error))
                 << "\n";
    return 1;
  }
  return 0;
}
