//===- OptReport.cpp - Which kernel every product got, and why ------------===//

#include "compiler/Driver/OptReport.h"

#include "dialects/Llama/IR/LlamaOps.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"

#include <map>
#include <nlohmann/json.hpp>

using namespace mlir;
using namespace mlir::llama;
using Json = nlohmann::ordered_json;

//===----------------------------------------------------------------------===//
// Collecting
//===----------------------------------------------------------------------===//

void OptReport::addAttention(ModuleOp module) {
  module.walk([&](FusedAttentionOp op) {
    auto cache = cast<MemRefType>(op.getCache().getType());
    CacheShape shape(cache);
    int64_t columns =
        cast<RankedTensorType>(op.getQuery().getType()).getDimSize(1);
    std::string type;
    llvm::raw_string_ostream(type) << cache.getElementType();
    attentions.push_back({op->getName().stripDialect().str(), type,
                          columns / shape.headDim, shape.kvHeads,
                          shape.headDim});
  });
}

void OptReport::addProducts(ModuleOp module, const TargetInfo &target) {
  sections.push_back({target, {}});
  module.walk([&](MatmulOp op) {
    ProductShape shape = ProductShape::get(op);
    sections.back().products.push_back(
        {op.getPartOf().value_or("").str(), op.getMatrix().str(), shape,
         chooseKernel(op.getContext(), target, shape)});
  });
}

//===----------------------------------------------------------------------===//
// For people
//===----------------------------------------------------------------------===//

static StringRef explain(StringRef instruction) {
  return llvm::StringSwitch<StringRef>(instruction)
      .Case("amx", "AMX tiles")
      .Case("tdpbf16ps", "AMX tiles")
      .Case("tdpbssd", "AMX tiles")
      .Case("tdpbsud", "AMX tiles")
      .Case("vdpbf16ps", "vdpbf16ps dots")
      .Case("bfdot", "bfdot dots")
      .Case("vpdpbusd", "vpdpbusd integer dots")
      .Case("vpmaddwd", "vpmaddwd integer dots")
      .Case("smull", "smull integer dots")
      .Case("sdot", "sdot integer dots")
      .Case("usdot", "usdot integer dots")
      .Case("fma", "FMA")
      .Case("fmla", "FMA")
      .Default(instruction);
}

static std::string describeSize(TileAttr tile) {
  return llvm::formatv("{0} x {1}", tile.getRows(), tile.getColumns());
}

static std::string describe(TileAttr tile) {
  StringRef name = getInfo(tile.getInstruction()).getShortName();
  return llvm::formatv("{0} {1}", explain(name), describeSize(tile));
}

static NestAttr getPrefill(const KernelChoice &choice) {
  NestAttr prefill = choice.schedule.getPrefill();
  return prefill ? prefill : choice.schedule.getRows();
}

static std::string describePrefill(const KernelChoice &choice) {
  NestAttr nest = getPrefill(choice);
  return llvm::formatv("{0}, {1} rows a block", describe(nest.getTiles()[0]),
                       nest.getMc());
}

static std::string describeDecode(const KernelChoice &choice) {
  return describe(choice.schedule.getRows().getTiles().back());
}

static std::string describeTarget(const TargetInfo &target) {
  std::string text =
      llvm::formatv("{0}: vectors of {1} bits", target.cpu, target.vectorBits);
  auto add = [&](bool isThere, StringRef name) {
    text += ((isThere ? ", " : ", no ") + name).str();
  };
  if (target.architecture == Architecture::AArch64) {
    add(true, target.hasMixedDotProducts ? "usdot"
              : target.hasDotProducts    ? "sdot"
                                         : "smull");
    add(target.hasFastBF16Dots, "bfdot");
    return text;
  }
  bool hasDots = llvm::is_contained(target.getRequiredFeatures(), "avx512bf16");
  add(target.hasAMX || target.hasAMXInt8, target.hasAMX == target.hasAMXInt8
                                              ? "AMX"
                                          : target.hasAMX ? "AMX of bf16"
                                                          : "AMX of integers");
  add(target.hasVNNI, "VNNI");
  add(hasDots, "vdpbf16ps");
  if (hasDots && !target.hasFastBF16Dots)
    text += " (unused: slower than FMA there)";
  return text;
}

static std::string pad(std::string text, size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

/// Columns of equal width.
static void printTable(llvm::raw_ostream &stream,
                       ArrayRef<std::array<std::string, 6>> lines) {
  std::array<size_t, 6> widths = {};
  for (const auto &line : lines)
    for (auto [width, cell] : llvm::zip_equal(widths, line))
      width = std::max(width, cell.size());
  for (const auto &line : lines) {
    std::string text = " ";
    for (auto [width, cell] : llvm::zip_equal(widths, line))
      text += " " + pad(cell, width + 1);
    stream << StringRef(text).rtrim() << "\n";
  }
}

void OptReport::print(llvm::raw_ostream &stream, const Section &section) const {
  SmallVector<std::array<std::string, 6>> lines = {
      {"matrix", "op", "[out, in]", "type", "prefill", "decode"}};
  for (const Attention &attention : attentions)
    lines.push_back(
        {"-", attention.op,
         llvm::formatv("{0} heads, {1} of keys, of {2}", attention.heads,
                       attention.kvHeads, attention.headDim),
         attention.type, "FMA", "FMA"});
  std::map<std::pair<std::string, std::string>, SmallVector<StringRef>> refused;
  for (const Product &product : section.products) {
    const ProductShape &shape = product.shape;
    std::string size = llvm::formatv("[{0}, {1}]", shape.out, shape.in);
    int64_t padded = PanelLayout{shape.matrix}.getPaddedColumns(shape.in);
    if (shape.matrix.isInteger() && padded != shape.in)
      size += " in padded to " + std::to_string(padded);
    lines.push_back({product.matrix, product.op, size, getName(shape.matrix),
                     describePrefill(product.choice),
                     describeDecode(product.choice)});
    for (const Refusal &refusal : product.choice.refused)
      refused[{refusal.instruction, refusal.reason}].push_back(product.matrix);
  }
  stream << describeTarget(section.target) << "\n";
  printTable(stream, lines);
  for (const auto &[refusal, names] : refused) {
    stream << "  no " << explain(refusal.first) << ", " << refusal.second
           << ": ";
    if (names.size() == section.products.size())
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

static Json describe(TileAttr tile, NestAttr nest) {
  return {{"kernel", getInfo(tile.getInstruction()).getShortName()},
          {"tile", describeSize(tile)},
          {"mc", nest.getMc()},
          {"nc", nest.getNc()}};
}

static Json describeChoice(const KernelChoice &choice) {
  Json json;
  if (NestAttr prefill = choice.schedule.getPrefill())
    json["prefill"] = describe(prefill.getTiles()[0], prefill);
  NestAttr rows = choice.schedule.getRows();
  json["blocks"] = describe(rows.getTiles()[0], rows);
  json["single_rows"] = describe(rows.getTiles().back(), rows);
  json["refused"] = Json::array();
  for (const Refusal &refusal : choice.refused)
    json["refused"].push_back(
        {{"kernel", refusal.instruction}, {"reason", refusal.reason}});
  return json;
}

std::string OptReport::getJson() const {
  Json targets = Json::array();
  for (const Section &section : sections) {
    Json matmuls = Json::array();
    for (const Attention &attention : attentions)
      matmuls.push_back({{"op", attention.op},
                         {"weight", ""},
                         {"heads", attention.heads},
                         {"kv_heads", attention.kvHeads},
                         {"head_dim", attention.headDim},
                         {"type", attention.type}});
    for (const Product &product : section.products) {
      const ProductShape &shape = product.shape;
      Json entry = {
          {"op", product.op},
          {"weight", product.matrix},
          {"out", shape.out},
          {"in", shape.in},
          {"in_padded", PanelLayout{shape.matrix}.getPaddedColumns(shape.in)},
          {"type", getName(shape.matrix)},
          {"rows", shape.isOfLogits ? "logit_rows" : "rows"}};
      entry.update(describeChoice(product.choice));
      matmuls.push_back(std::move(entry));
    }
    targets.push_back({{"cpu", section.target.cpu},
                       {"vector_bits", section.target.vectorBits},
                       {"matmuls", std::move(matmuls)}});
  }
  return Json({{"targets", std::move(targets)}}).dump(2) + "\n";
}
