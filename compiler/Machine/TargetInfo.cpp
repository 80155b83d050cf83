//===- TargetInfo.cpp - The machine that will run a model -----------------===//

#include "compiler/Machine/TargetInfo.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"

using namespace mlir::llama;

static const llvm::Target *findTarget(llvm::StringRef triple,
                                      std::string &error) {
  static const bool isInitialized = [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
    return true;
  }();
  (void)isInitialized;
  return llvm::TargetRegistry::lookupTarget(llvm::Triple(triple), error);
}

static std::unique_ptr<llvm::MCSubtargetInfo>
createSubtarget(const TargetInfo &info) {
  std::string error;
  const llvm::Target *target = findTarget(info.triple, error);
  return std::unique_ptr<llvm::MCSubtargetInfo>(target->createMCSubtargetInfo(
      llvm::Triple(info.triple), info.cpu, info.features));
}

static std::string getHostFeatures() {
  llvm::SubtargetFeatures features;
  for (const auto &[name, isThere] : llvm::sys::getHostCPUFeatures())
    features.AddFeature(name, isThere);
  return features.getString();
}

/// Adds "+a,-b" to the features, if these are features.
static llvm::Error addAttributes(TargetInfo &info, llvm::StringRef attributes,
                                 const llvm::MCSubtargetInfo &subtarget) {
  llvm::SubtargetFeatures features(info.features);
  for (llvm::StringRef name : llvm::split(attributes, ',')) {
    if (name.empty())
      continue;
    bool isKnown = llvm::any_of(
        subtarget.getAllProcessorFeatures(), [&](const auto &known) {
          return known.Key == llvm::SubtargetFeatures::StripFlag(name);
        });
    if (!llvm::SubtargetFeatures::hasFlag(name) || !isKnown)
      return llvm::createStringError("--mattr=%s: '%s': expected + or - and a "
                                     "feature of %s that LLVM knows",
                                     attributes.str().c_str(),
                                     name.str().c_str(), info.triple.c_str());
    features.AddFeature(name);
  }
  info.features = features.getString();
  return llvm::Error::success();
}

static llvm::Error checkX86(TargetInfo &info) {
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget = createSubtarget(info);
  if (!subtarget->checkFeatures("+avx2") || !subtarget->checkFeatures("+fma") ||
      !subtarget->checkFeatures("+f16c"))
    return llvm::createStringError(
        "--mcpu=%s: has no AVX2, FMA and F16C, which the kernels need",
        info.cpu.c_str());
  bool isWide = subtarget->checkFeatures("+avx512f") &&
                subtarget->checkFeatures("+avx512bw") &&
                subtarget->checkFeatures("+avx512vl") &&
                subtarget->checkFeatures("+avx512dq");
  info.vectorBits = isWide ? 512 : 256;
  info.hasVNNI = subtarget->checkFeatures("+avx512vnni") &&
                 subtarget->checkFeatures("+avx512vl");
  info.hasFastBF16Dots = isWide && subtarget->checkFeatures("+avx512bf16") &&
                         llvm::StringRef(info.cpu).starts_with("znver");
  info.hasAMX = isWide && subtarget->checkFeatures("+amx-tile") &&
                subtarget->checkFeatures("+amx-bf16");
  info.hasAMXInt8 = isWide && subtarget->checkFeatures("+amx-tile") &&
                    subtarget->checkFeatures("+amx-int8");
  return llvm::Error::success();
}

static llvm::Error checkAArch64(TargetInfo &info) {
  // Vectors are NEON's. Left to itself the code generator would use SVE here
  // and there, and ask for it of the machine that runs the model.
  if (createSubtarget(info)->checkFeatures("+sve")) {
    llvm::SubtargetFeatures features(info.features);
    features.AddFeature("sve", /*Enable=*/false);
    info.features = features.getString();
  }
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget = createSubtarget(info);
  if (!subtarget->checkFeatures("+neon"))
    return llvm::createStringError(
        "--mcpu=%s: has no NEON, which the kernels need", info.cpu.c_str());
  info.vectorBits = 128;
  info.hasMixedDotProducts = subtarget->checkFeatures("+i8mm");
  info.hasDotProducts = subtarget->checkFeatures("+dotprod");
  info.hasFastBF16Dots = subtarget->checkFeatures("+bf16");
  return llvm::Error::success();
}

/// The target of a triple, which must have kernels.
static llvm::Expected<const llvm::Target *>
findSupportedTarget(const std::string &name) {
  std::string error;
  const llvm::Target *target = findTarget(name, error);
  if (!target)
    return llvm::createStringError("--mtriple=%s: %s", name.c_str(),
                                   error.c_str());
  llvm::Triple triple(name);
  bool isKnown = triple.getArch() == llvm::Triple::x86_64 ||
                 triple.getArch() == llvm::Triple::aarch64;
  if (!isKnown || !triple.isOSBinFormatELF())
    return llvm::createStringError(
        "--mtriple=%s: expected an x86-64 or aarch64 machine with ELF files",
        name.c_str());
  return target;
}

static llvm::Error chooseCPU(TargetInfo &info, llvm::StringRef cpu) {
  llvm::Triple wanted(info.triple), here(llvm::sys::getProcessTriple());
  bool isForeign = wanted.getArch() != here.getArch();
  if (cpu == "native" && isForeign)
    return llvm::createStringError(
        "--mcpu=native: this machine is %s, --mtriple=%s is not",
        here.getArchName().str().c_str(), info.triple.c_str());
  info.cpu = cpu.empty() ? "generic" : cpu.str();
  if (cpu == "native" || (cpu.empty() && !isForeign)) {
    info.cpu = llvm::sys::getHostCPUName().str();
    info.features = getHostFeatures();
  }
  return llvm::Error::success();
}

llvm::Expected<TargetInfo> TargetInfo::get(llvm::StringRef triple,
                                           llvm::StringRef cpu,
                                           llvm::StringRef attributes) {
  TargetInfo info;
  info.triple = triple.empty() ? llvm::sys::getProcessTriple() : triple.str();
  llvm::Expected<const llvm::Target *> target =
      findSupportedTarget(info.triple);
  if (!target)
    return target.takeError();
  if (llvm::Error error = chooseCPU(info, cpu))
    return std::move(error);
  std::unique_ptr<llvm::MCSubtargetInfo> generic(
      (*target)->createMCSubtargetInfo(llvm::Triple(info.triple), "", ""));
  if (!generic->isCPUStringValid(info.cpu))
    return llvm::createStringError(
        "--mcpu=%s: is not a processor of %s that LLVM knows", info.cpu.c_str(),
        info.triple.c_str());
  if (llvm::Error error = addAttributes(info, attributes, *generic))
    return std::move(error);
  bool isX86 = llvm::Triple(info.triple).getArch() == llvm::Triple::x86_64;
  info.architecture = isX86 ? Architecture::X86 : Architecture::AArch64;
  if (llvm::Error error = isX86 ? checkX86(info) : checkAArch64(info))
    return std::move(error);
  return info;
}

std::unique_ptr<llvm::TargetMachine> TargetInfo::createMachine() const {
  std::string error;
  const llvm::Target *target = findTarget(triple, error);
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      llvm::Triple(triple), cpu, features, llvm::TargetOptions(),
      llvm::Reloc::PIC_, std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

std::vector<std::string> TargetInfo::getRequiredFeatures() const {
  // Instruction sets that the code generator may draw on for these kernels.
  static constexpr llvm::StringLiteral kX86[] = {
      "sse3",       "ssse3",      "sse4.1",     "sse4.2",     "popcnt",
      "avx",        "avx2",       "fma",        "f16c",       "bmi",
      "bmi2",       "movbe",      "lzcnt",      "avx512f",    "avx512bw",
      "avx512cd",   "avx512dq",   "avx512vl",   "avx512vbmi", "avx512vbmi2",
      "avx512vnni", "avx512bf16", "avx512fp16", "avxvnni",    "amx-tile",
      "amx-bf16",   "amx-int8"};
  static constexpr llvm::StringLiteral kAArch64[] = {
      "rdm",  "fullfp16", "fp16fml", "dotprod", "i8mm",     "bf16", "complxnum",
      "sha3", "cssc",     "cmpbr",   "fprcvt",  "faminmax", "mops"};
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget = createSubtarget(*this);
  bool isX86 = architecture == Architecture::X86;
  std::vector<std::string> required;
  for (llvm::StringRef name : isX86 ? ArrayRef(kX86) : ArrayRef(kAArch64))
    if (subtarget->checkFeatures(("+" + name).str()))
      required.push_back(name.str());
  return required;
}
