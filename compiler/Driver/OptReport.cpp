//===- OptReport.cpp - Which kernel every product got, and why ------------===//

#include "compiler/Driver/OptReport.h"

#include "compiler/CPU/Kernels/AddByteDots.h"
#include "dialects/Llama/IR/LlamaLocations.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <map>
#include <nlohmann/json.hpp>

using namespace mlir;
using namespace mlir::llama;
using Json = nlohmann::ordered_json;

namespace mlir::llama {

/// Hands every remark to the report.
class OptReportStreamer final : public remark::detail::MLIRRemarkStreamerBase {
public:
  explicit OptReportStreamer(OptReport &report) : report(report) {}

  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    report.add(remark);
  }

private:
  OptReport &report;
};

} // namespace mlir::llama

OptReport::OptReport(MLIRContext &context) {
  remark::RemarkCategories categories;
  categories.passed = categories.missed = categories.analysis =
      kKernelRemarks.str();
  LogicalResult enabled = remark::enableOptimizationRemarks(
      context, std::make_unique<OptReportStreamer>(*this),
      std::make_unique<remark::RemarkEmittingPolicyAll>(), categories);
  (void)enabled; // fails only without a streamer
  assert(succeeded(enabled) && "a streamer and a policy are there");
}

//===----------------------------------------------------------------------===//
// Collecting
//===----------------------------------------------------------------------===//

void OptReport::begin(const TargetInfo &target) {
  sections.push_back({target, common});
}

void OptReport::addTile(Matmul &matmul, StringRef kernel, StringRef tile) {
  int64_t area = 1, height = 0;
  SmallVector<StringRef> extents;
  tile.split(extents, " x ");
  for (StringRef extent : extents) {
    int64_t size = 0;
    extent.getAsInteger(10, size);
    area *= size;
    height = height == 0 ? size : height;
  }
  // What is left over at the borders is done in smaller tiles.
  Kernel &place = height > 1 ? matmul.blocks : matmul.singleRows;
  if (area > place.area)
    place = {kernel.str(), tile.str(), area};
}

void OptReport::add(const remark::detail::Remark &remark) {
  std::lock_guard guard(lock);
  Arguments arguments;
  for (const remark::detail::Remark::Arg &arg : remark.getArgs())
    arguments[arg.key] = arg.val;
  std::vector<Matmul> &matmuls =
      sections.empty() ? common : sections.back().matmuls;
  auto known = llvm::find_if(matmuls, [&](const Matmul &matmul) {
    return matmul.op == arguments["Op"] && matmul.weight == arguments["Weight"];
  });
  StringRef name = remark.getRemarkName();
  bool isNew = name == "product" || name == "attention";
  if (known == matmuls.end()) {
    if (!isNew)
      return; // a part of something that is no product of the model's
    matmuls.push_back(
        {arguments["Op"], arguments["Weight"], {}, {}, {}, {}, {}, {}});
    known = std::prev(matmuls.end());
  }
  if (isNew) {
    known->facts = std::move(arguments);
  } else if (name == "panels") {
    known->panels = std::move(arguments);
  } else if (arguments.contains("Reason")) {
    std::pair refusal(name.str(), arguments["Reason"]);
    if (!llvm::is_contained(known->refused, refusal))
      known->refused.push_back(std::move(refusal));
  } else if (arguments.contains("Tile")) {
    addTile(*known, name, arguments["Tile"]);
  } else {
    known->amx = std::move(arguments);
  }
}

//===----------------------------------------------------------------------===//
// For people
//===----------------------------------------------------------------------===//

static StringRef explain(StringRef kernel) {
  return llvm::StringSwitch<StringRef>(kernel)
      .Case("amx", "AMX tiles")
      .Case("vdpbf16ps", "vdpbf16ps dots")
      .Case("bfdot", "bfdot dots")
      .Case("widen", "widened integer dots")
      .Case("vpdpbusd", "vpdpbusd integer dots")
      .Case("vpmaddwd", "vpmaddwd integer dots")
      .Case("smull", "smull integer dots")
      .Case("sdot", "sdot integer dots")
      .Case("usdot", "usdot integer dots")
      .Case("fma", "FMA")
      .Default(kernel);
}

std::string OptReport::describePrompt(const Matmul &matmul) {
  if (!matmul.amx.empty())
    return llvm::formatv("AMX tiles 32 x 32, panels of {0} x {1}, {2} rows a "
                         "pass",
                         matmul.amx.lookup("Panel"), matmul.amx.lookup("Depth"),
                         matmul.amx.lookup("RowsPerPass"));
  if (matmul.blocks.name.empty())
    return describeDecode(matmul);
  std::string text =
      (explain(matmul.blocks.name) + " " + matmul.blocks.tile).str();
  if (!matmul.panels.empty())
    text += ", " + matmul.panels.lookup("RowsPerPass") + " rows a pass";
  return text;
}

std::string OptReport::describeDecode(const Matmul &matmul) {
  const Kernel &kernel =
      matmul.singleRows.name.empty() ? matmul.blocks : matmul.singleRows;
  if (kernel.name.empty())
    return "scalar";
  return (explain(kernel.name) + " " + kernel.tile).str();
}

static std::string describeTarget(const TargetInfo &target) {
  std::string text =
      llvm::formatv("{0}: vectors of {1} bits", target.cpu, target.vectorBits);
  auto add = [&](bool isThere, StringRef name) {
    text += ((isThere ? ", " : ", no ") + name).str();
  };
  if (!llvm::Triple(target.triple).isX86()) {
    add(true, mlir::llama::getName(target.byteDots));
    add(target.hasFastBF16Dots, "bfdot");
    return text;
  }
  bool hasDots = llvm::is_contained(target.getRequiredFeatures(), "avx512bf16");
  add(target.hasAMX || target.hasAMXInt8, target.hasAMX == target.hasAMXInt8
                                              ? "AMX"
                                          : target.hasAMX ? "AMX of bf16"
                                                          : "AMX of integers");
  add(target.byteDots == ByteDots::VPDPBUSD, "VNNI");
  add(hasDots, "vdpbf16ps");
  if (hasDots && !target.hasFastBF16Dots)
    text += " (unused: slower than FMA there)";
  return text;
}

static std::string pad(std::string text, size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

void OptReport::print(llvm::raw_ostream &stream, const Section &section) {
  SmallVector<std::array<std::string, 6>> lines = {
      {"matrix", "op", "[out, in]", "type", "rows of prompts", "single rows"}};
  std::map<std::pair<std::string, std::string>, SmallVector<StringRef>> refused;
  for (const Matmul &matmul : section.matmuls) {
    auto fact = [&](StringRef key) { return matmul.facts.lookup(key); };
    std::string shape = "[" + fact("Out") + ", " + fact("In") + "]";
    if (matmul.facts.contains("Heads"))
      shape = fact("Heads") + " heads, " + fact("KVHeads") + " of keys, of " +
              fact("HeadDim");
    else if (fact("Padded") != fact("In"))
      shape += " in padded to " + fact("Padded");
    lines.push_back({matmul.weight.empty() ? "-" : matmul.weight, matmul.op,
                     shape, fact("Type"), describePrompt(matmul),
                     describeDecode(matmul)});
    for (const auto &refusal : matmul.refused)
      refused[refusal].push_back(matmul.weight);
  }
  std::array<size_t, 6> widths = {};
  for (const auto &line : lines)
    for (auto [width, cell] : llvm::zip_equal(widths, line))
      width = std::max(width, cell.size());
  stream << describeTarget(section.target) << "\n";
  for (const auto &line : lines) {
    std::string text = " ";
    for (auto [width, cell] : llvm::zip_equal(widths, line))
      text += " " + pad(cell, width + 1);
    stream << StringRef(text).rtrim() << "\n";
  }
  auto count = llvm::count_if(section.matmuls, [](const Matmul &matmul) {
    return !matmul.weight.empty();
  });
  for (const auto &[refusal, names] : refused) {
    stream << "  no " << explain(refusal.first) << ", " << refusal.second
           << ": ";
    if (std::ssize(names) == count)
      stream << "all matrices";
    else
      llvm::interleaveComma(names, stream);
    stream << "\n";
  }
}

std::string OptReport::getText() const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  for (const Section &section : sections)
    print(stream, section);
  return text;
}

//===----------------------------------------------------------------------===//
// For programs
//===----------------------------------------------------------------------===//

/// Numbers as numbers, all keys in lower case with underscores.
static void addFacts(Json &json, const llvm::StringMap<std::string> &facts,
                     ArrayRef<std::pair<StringRef, StringRef>> keys) {
  for (auto [key, name] : keys) {
    auto found = facts.find(key);
    int64_t number = 0;
    if (found == facts.end())
      continue;
    if (StringRef(found->second).getAsInteger(10, number))
      json[name.str()] = found->second;
    else
      json[name.str()] = number;
  }
}

std::string OptReport::getJson() const {
  Json targets = Json::array();
  for (const Section &section : sections) {
    Json matmuls = Json::array();
    for (const Matmul &matmul : section.matmuls) {
      Json entry = {{"op", matmul.op}, {"weight", matmul.weight}};
      addFacts(entry, matmul.facts,
               {{"Out", "out"},
                {"In", "in"},
                {"Padded", "in_padded"},
                {"Heads", "heads"},
                {"KVHeads", "kv_heads"},
                {"HeadDim", "head_dim"},
                {"Type", "type"},
                {"Rows", "rows"}});
      auto describe = [](const Kernel &kernel, const Arguments &sizes) {
        Json json = {{"kernel", kernel.name}, {"tile", kernel.tile}};
        addFacts(json, sizes,
                 {{"RowsPerPass", "rows_per_pass"},
                  {"Panel", "panel"},
                  {"Depth", "depth"}});
        return json;
      };
      if (!matmul.amx.empty())
        entry["prompt"] = describe({"amx", "32 x 32"}, matmul.amx);
      if (!matmul.blocks.name.empty())
        entry["blocks"] = describe(matmul.blocks, matmul.panels);
      if (!matmul.singleRows.name.empty())
        entry["single_rows"] = describe(matmul.singleRows, matmul.panels);
      entry["refused"] = Json::array();
      for (const auto &[kernel, reason] : matmul.refused)
        entry["refused"].push_back({{"kernel", kernel}, {"reason", reason}});
      matmuls.push_back(std::move(entry));
    }
    targets.push_back({{"cpu", section.target.cpu},
                       {"vector_bits", section.target.vectorBits},
                       {"matmuls", std::move(matmuls)}});
  }
  return Json({{"targets", std::move(targets)}}).dump(2) + "\n";
}
