//===- Compilation.cpp - A checkpoint to a model.so -----------------------===//

#include "compiler/Driver/Compilation.h"

#include "compiler/Driver/OptReport.h"
#include "compiler/Frontend/Frontend.h"
#include "compiler/Machine/ModuleTarget.h"
#include "compiler/Output/CheckTemplate.h"
#include "compiler/Output/EmbedWeights.h"
#include "compiler/Output/EmitData.h"
#include "compiler/Output/Fingerprint.h"
#include "compiler/Output/LinkModel.h"
#include "compiler/Output/ModelInfo.h"
#include "compiler/Output/PlaceWeights.h"
#include "compiler/Pipelines/Pipelines.h"
#include "compiler/Pipelines/Registration.h"
#include "dialects/Llama/IR/LlamaAttributes.h"
#include "files/InputFiles.h"
#include "files/OutputPlace.h"
#include "runtime/Text/Jinja/Check.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace mlir::llama;
using llamafiles::Order;
using llamaweights::OpenedModel;
using llamaweights::OutputFile;
using llamaweights::Vocabulary;

//===----------------------------------------------------------------------===//
// From input to IR
//===----------------------------------------------------------------------===//

namespace {

/// What is compiled: the module and, once it is asked for, its checkpoint.
class Compilation {
public:
  Compilation(const CompileOptions &options, MLIRContext &context)
      : options(options), context(context) {}

  llvm::Expected<CompileResult> run();

private:
  llvm::Error open();
  llvm::Error buildFromCheckpoint();
  llvm::Error parse();
  llvm::Error chooseTargets();
  llvm::Error openCheckpoint(StringRef path);
  llvm::Error checkOutputs();
  std::string getDumpPath(StringRef variant, Stage reached) const;
  llvm::Error checkChatTemplates(Vocabulary &vocabulary);
  llvm::Error lower();
  llvm::Error lowerTo(Stage stage);
  void splitByTarget();
  llvm::Error dump(ModuleOp module, const TargetInfo &target, Stage stage);
  llvm::Error writeReport();
  llvm::Error writeIR();
  llvm::Error writeCode();
  llvm::Error writeModel();
  llvm::Expected<std::vector<EmittedCode>> emitAll();
  llvm::Error link(ArrayRef<EmittedCode> code, const ObjectData &data,
                   OutputFile &file);
  llvm::Expected<std::vector<char>> embedAll(OutputFile &file, uint64_t begin);
  llvm::Expected<std::vector<char>> writeWeights(const ObjectData &data,
                                                 OutputFile &file);

  std::string getModelPath() const {
    if (!options.output.empty())
      return options.output;
    return options.lastStage == Stage::Object ? "model.o" : "model.so";
  }
  std::string getCodePath() const {
    return options.output.empty() ? "model.o" : options.output;
  }
  /// IR and assembly, if no file is named.
  bool isForStandardOutput() const {
    return options.output == "-" ||
           (options.output.empty() && options.lastStage < Stage::Object);
  }

  const CompileOptions &options;
  MLIRContext &context;
  llvm::SourceMgr sources;
  /// One for each target, or one for all until their kernels differ.
  std::vector<OwningOpRef<ModuleOp>> modules;
  std::optional<OptReport> report; ///< if one is asked for
  std::optional<OpenedModel> manifest;
  std::vector<std::string> warnings;
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
  llvm::Expected<OpenedModel> opened =
      OpenedModel::open(path, options.linkPolicy);
  if (!opened)
    return opened.takeError();
  manifest.emplace(std::move(*opened));
  if (manifest->vocabulary)
    return checkChatTemplates(*manifest->vocabulary);
  if (options.requireChat)
    return llvm::createStringError("chat template: the model has none");
  return llvm::Error::success();
}

/// Leaves out what cannot be run of chat templates and says why: the model is of
/// use without it.
llvm::Error Compilation::checkChatTemplates(Vocabulary &vocabulary) {
  std::string problem =
      vocabulary.chatTemplate.empty()
          ? "chat template: the model has none"
          : llamart::jinja::findProblem(vocabulary.chatTemplate);
  if (options.requireChat && !problem.empty())
    return llvm::createStringError(problem);
  if (!vocabulary.chatTemplate.empty() && !problem.empty()) {
    warnings.push_back(problem + "; the model cannot chat");
    vocabulary.chatTemplate.clear();
    vocabulary.chatProblem = problem;
  }
  llvm::erase_if(vocabulary.chatTemplates, [&](const auto &named) {
    std::string wrong = llamart::jinja::findProblem(named.second);
    if (!wrong.empty())
      warnings.push_back("'" + named.first + "': " + wrong);
    return !wrong.empty();
  });
  std::vector<std::string> missing =
      findMissingMarks(vocabulary.chatTemplate, vocabulary);
  if (!missing.empty())
    warnings.push_back("chat template: writes " + llvm::join(missing, ", ") +
                       ", found no such token in the vocabulary");
  return llvm::Error::success();
}

llvm::Error Compilation::buildFromCheckpoint() {
  if (llvm::Error error = openCheckpoint(options.input))
    return error;
  llvm::Expected<FrontendOptions> frontend =
      options.getFrontendOptions(manifest->config.maxSeqLen);
  if (!frontend)
    return frontend.takeError();
  llvm::Expected<OwningOpRef<ModuleOp>> built =
      buildModule(context, *manifest, *frontend);
  if (!built)
    return built.takeError();
  modules.push_back(std::move(*built));
  return llvm::Error::success();
}

llvm::Error Compilation::parse() {
  SourceMgrDiagnosticHandler handler(sources, &context);
  auto buffer = llvm::MemoryBuffer::getFile(options.input);
  if (!buffer)
    return llvm::createStringError("%s: cannot be read: %s",
                                   options.input.c_str(),
                                   buffer.getError().message().c_str());
  sources.AddNewSourceBuffer(std::move(*buffer), llvm::SMLoc());
  modules.push_back(parseSourceFile<ModuleOp>(sources, &context));
  if (!modules[0])
    return llvm::createStringError("%s: is not valid MLIR",
                                   options.input.c_str());
  stage = findStage(*modules[0]);
  llamafiles::noteInput(options.input);
  if (auto model = (*modules[0])->getAttrOfType<StringAttr>(kModelAttr)) {
    llamafiles::noteInput(model.str());
    llamafiles::noteInputFolder(model.str());
  }
  return llvm::Error::success();
}

/// The machines: those of the flags, or the one for which the kernels of a
/// dumped stage were made.
llvm::Error Compilation::chooseTargets() {
  std::string wantedTriple = options.triple, wantedCPU = options.cpu;
  std::string wantedAttributes = options.attributes;
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
  if (targets.size() > 1 && options.lastStage > Stage::Linalg &&
      !options.isModel())
    return llvm::createStringError(
        "--emit=%s: expected one processor, --mcpu names %zu",
        getStageName(options.lastStage).data(), targets.size());
  llvm::sort(targets, [](const TargetInfo &a, const TargetInfo &b) {
    return std::pair(b.getRequiredFeatures().size(), a.cpu) <
           std::pair(a.getRequiredFeatures().size(), b.cpu);
  });
  return llvm::Error::success();
}

llvm::Error Compilation::open() {
  if (llvm::Error error = isIR(options.input) ? parse() : buildFromCheckpoint())
    return error;
  return chooseTargets();
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

/// Before anything is computed: that every output can be where it is to be, and
/// is nothing that is read.
llvm::Error Compilation::checkOutputs() {
  std::vector<llamafiles::Output> outputs;
  bool isModel = options.isModel();
  if (isForStandardOutput())
    outputs.push_back({"-", isModel ? Order::Anywhere : Order::Streamed});
  else if (isModel)
    outputs.push_back({getModelPath(), Order::Anywhere});
  else
    outputs.push_back({getCodePath(), Order::Streamed});
  if (isModel && options.storage == WeightStorage::External)
    outputs.push_back({getModelPath() + ".weights", Order::Anywhere});
  if (options.optReport && !options.optReport->empty())
    outputs.push_back({*options.optReport, Order::Streamed});
  if (!options.dumpStages.empty())
    for (Stage next = stage; next <= kLastIRStage;
         next = static_cast<Stage>(static_cast<int>(next) + 1)) {
      outputs.push_back({getDumpPath("", next), Order::Streamed});
      for (const TargetInfo &target : targets)
        outputs.push_back({getDumpPath(target.cpu, next), Order::Streamed});
    }
  std::string problem = llamafiles::checkOutputs(outputs);
  for (const std::string &path : options.otherFiles)
    if (problem.empty() && llamafiles::isInput(path))
      problem = llamafiles::checkOutputs({{path, Order::Streamed}});
  return problem.empty() ? llvm::Error::success()
                         : llvm::createStringError(problem);
}

//===----------------------------------------------------------------------===//
// From stage to stage
//===----------------------------------------------------------------------===//

/// With locations where nothing else says which llama op something comes from.
static std::string printModule(ModuleOp module, Stage reached) {
  OpPrintingFlags printing;
  if (reached == Stage::Linalg)
    printing.enableDebugInfo();
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, printing);
  return text;
}

/// `variant`: the processor, if there are several.
std::string Compilation::getDumpPath(StringRef variant, Stage reached) const {
  SmallString<128> path(options.dumpStages);
  llvm::sys::path::append(
      path, llvm::formatv("{0}-{1}{2}{3}.mlir", static_cast<int>(reached) + 1,
                          getStageName(reached), variant.empty() ? "" : ".",
                          variant));
  return path.str().str();
}

llvm::Error Compilation::dump(ModuleOp module, const TargetInfo &target,
                              Stage reached) {
  if (options.dumpStages.empty())
    return llvm::Error::success();
  std::string path = getDumpPath(modules.size() > 1 ? target.cpu : "", reached);
  std::error_code code = llvm::sys::fs::create_directories(options.dumpStages);
  if (code)
    return llvm::createStringError("%s: cannot be made: %s",
                                   options.dumpStages.c_str(),
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
  for (auto [module, target] : llvm::zip_equal(modules, targets))
    setTarget(*module, target);
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
    buildStagePipeline(pm, next);
    if (report && next == Stage::Linalg)
      report->addAttention(*module);
    if (report && next == Stage::Kernels)
      report->addProducts(*module, target);
    if (failed(pm.run(*module)))
      return llvm::createStringError("%s: stage '%s' failed",
                                     options.input.c_str(),
                                     getStageName(next).data());
    (*module)->setAttr(kStageAttr,
                       StringAttr::get(&context, getStageName(next)));
    if (llvm::Error error = dump(*module, target, next))
      return error;
  }
  return llvm::Error::success();
}

llvm::Error Compilation::lower() {
  if (stage == Stage::Import)
    if (llvm::Error error = dump(*modules[0], targets[0], stage))
      return error;
  Stage last = std::min(options.lastStage, kLastIRStage);
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
  StringRef path = *options.optReport;
  if (path.empty() || path == "-") {
    llvm::errs() << report->getText();
    return llvm::Error::success();
  }
  std::string text =
      path.ends_with(".json") ? report->getJson() : report->getText();
  return writeWhole(path, ArrayRef(text.data(), text.size()));
}

llvm::Error Compilation::writeIR() {
  std::string text = printModule(*modules[0], stage);
  if (StringRef(options.output).ends_with(".mlirbc")) {
    text.clear();
    llvm::raw_string_ostream stream(text);
    if (failed(writeBytecodeToFile(*modules[0], stream)))
      return llvm::createStringError("%s: cannot be written as bytecode",
                                     options.output.c_str());
  }
  if (isForStandardOutput())
    return print(text);
  return writeWhole(options.output, ArrayRef(text.data(), text.size()));
}

llvm::Error Compilation::writeCode() {
  bool isAssembly = options.lastStage == Stage::Assembly;
  llvm::Expected<EmittedCode> code =
      emitCode(*modules[0], targets[0], getEntryPoints(0),
               isAssembly ? CodeFormat::Assembly : CodeFormat::Object);
  if (!code)
    return code.takeError();
  if (isForStandardOutput())
    return print(StringRef(code->bytes.data(), code->bytes.size()));
  return writeWhole(getCodePath(), code->bytes);
}

llvm::Expected<std::vector<char>> Compilation::embedAll(OutputFile &file,
                                                        uint64_t begin) {
  llvm::Expected<SmallVector<WeightOp>> weights = getPlacedWeights(*modules[0]);
  if (!weights)
    return weights.takeError();
  return embedWeights(
      *weights, *manifest->checkpoint, file, begin, options.nonFinite,
      options.progress ? options.progress : [](uint64_t, uint64_t) {});
}

/// To their section of the model, or to a file beside it. Returns the hashes.
llvm::Expected<std::vector<char>>
Compilation::writeWeights(const ObjectData &data, OutputFile &file) {
  if (options.storage == WeightStorage::Embed) {
    llvm::Expected<uint64_t> begin =
        openWeightsSection(file, data.weightsBytes);
    if (!begin)
      return begin.takeError();
    return embedAll(file, *begin);
  }
  llvm::Expected<OutputFile> weights =
      OutputFile::create(getModelPath() + ".weights", Order::Anywhere);
  if (!weights)
    return weights.takeError();
  auto hashes = embedAll(*weights, 0);
  if (hashes)
    if (llvm::Error error = weights->keep())
      return std::move(error);
  return hashes;
}

llvm::Expected<std::vector<EmittedCode>> Compilation::emitAll() {
  std::vector<EmittedCode> code;
  for (auto [i, module] : llvm::enumerate(modules)) {
    llvm::Expected<EmittedCode> emitted =
        emitCode(*module, targets[i], getEntryPoints(i), CodeFormat::Object);
    if (!emitted)
      return emitted.takeError();
    code.push_back(std::move(*emitted));
  }
  return code;
}

llvm::Error Compilation::link(ArrayRef<EmittedCode> code,
                              const ObjectData &data, OutputFile &file) {
  std::vector<Code> objects;
  for (const EmittedCode &each : code)
    objects.push_back(each.bytes);
  std::string prefix = options.symbolPrefix.value_or("");
  llvm::Expected<Code> beside = emitData(data, targets[0], prefix, code.size());
  if (!beside)
    return beside.takeError();
  objects.push_back(std::move(*beside));
  if (options.lastStage == Stage::Object)
    return linkObject(objects, prefix, file);
  return linkSharedObject(objects, prefix,
                          llvm::sys::path::filename(getModelPath()), file);
}

/// What is known when the weights are written: their hashes, and the fingerprint
/// that depends on them.
static llvm::Error writeHashes(ArrayRef<EmittedCode> code, StringRef info,
                               ArrayRef<char> hashes, OutputFile &file) {
  if (llvm::Error error = overwriteSection(file, kHashesSection, 0, hashes))
    return error;
  std::string fingerprint = computeFingerprint(code, hashes);
  return overwriteSection(file, kInfoSection, findFingerprint(info),
                          ArrayRef(fingerprint.data(), fingerprint.size()));
}

llvm::Error Compilation::writeModel() {
  auto path = (*modules[0])->getAttrOfType<StringAttr>(kModelAttr);
  if (!path)
    return llvm::createStringError("%s: the module has no attribute '%s'",
                                   options.input.c_str(), kModelAttr.data());
  if (llvm::Error error = openCheckpoint(path))
    return error;
  llvm::Expected<OutputFile> file =
      OutputFile::create(getModelPath(), Order::Anywhere);
  if (!file)
    return file.takeError();
  auto code = emitAll();
  if (!code)
    return code.takeError();
  std::vector<CompiledTarget> compiled;
  for (auto [module, target, each] : llvm::zip_equal(modules, targets, *code))
    compiled.push_back({*module, target, each});
  bool isExternal = options.storage == WeightStorage::External;
  std::string weightsName =
      llvm::sys::path::filename(getModelPath() + ".weights").str();
  llvm::Expected<ObjectData> data = describeModel(
      compiled, *manifest, options.storage, isExternal ? weightsName : "");
  if (!data)
    return data.takeError();
  if (llvm::Error error = link(*code, *data, *file))
    return error;
  auto hashes = writeWeights(*data, *file);
  if (!hashes)
    return hashes.takeError();
  if (llvm::Error error = writeHashes(*code, data->info, *hashes, *file))
    return error;
  return file->keep(/*isExecutable=*/options.lastStage == Stage::SharedObject);
}

llvm::Expected<CompileResult> Compilation::run() {
  if (llvm::Error error = options.checkSymbolPrefix())
    return std::move(error);
  if (llvm::Error error = open())
    return std::move(error);
  if (stage > options.lastStage)
    return llvm::createStringError(
        "%s: is already at stage '%s', past --emit=%s", options.input.c_str(),
        getStageName(stage).data(), getStageName(options.lastStage).data());
  if (options.optReport) {
    if (stage >= Stage::Kernels || options.lastStage < Stage::Kernels)
      return llvm::createStringError(
          "--opt-report: kernels are chosen on the way to stage '%s', this "
          "goes from '%s' to '%s'",
          getStageName(Stage::Kernels).data(), getStageName(stage).data(),
          getStageName(options.lastStage).data());
    report.emplace();
  }
  if (llvm::Error error = checkOutputs())
    return std::move(error);
  if (llvm::Error error = lower())
    return std::move(error);
  if (llvm::Error error = writeReport())
    return std::move(error);
  if (llvm::Error error = options.lastStage <= kLastIRStage ? writeIR()
                          : options.isModel()               ? writeModel()
                                                            : writeCode())
    return std::move(error);
  CompileResult result;
  if (manifest)
    result.remarks = manifest->config.remarks;
  result.warnings = std::move(warnings);
  if (options.isModel())
    result.model = getModelPath();
  for (const TargetInfo &target : targets)
    result.cpus.push_back(target.cpu);
  return result;
}

llvm::Expected<CompileResult> llama::compile(const CompileOptions &options,
                                             MLIRContext &context) {
  return Compilation(options, context).run();
}
