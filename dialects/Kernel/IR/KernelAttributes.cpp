//===- KernelAttributes.cpp - Schedules and phases ------------------------===//

#include "dialects/Kernel/IR/KernelDialect.h"

#include "runtime/abi/ModelInfo.h"

#include "mlir/IR/Builders.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::llama;

FailureOr<Instruction> llama::parseInstruction(AsmParser &parser) {
  std::string name;
  llvm::SMLoc loc = parser.getCurrentLocation();
  if (parser.parseString(&name))
    return failure();
  if (std::optional<Instruction> found = findInstruction(name))
    return *found;
  return parser.emitError(loc) << "'" << name << "' is not an instruction of "
                               << "dialects/Kernel/IR/Instructions.def";
}

/// ["linear", "add_rms_norm"]
static void printNames(AsmPrinter &printer, ArrayRef<StringAttr> names) {
  printer << "[";
  llvm::interleaveComma(names, printer);
  printer << "]";
}

static ParseResult parseNames(AsmParser &parser,
                              SmallVector<StringAttr> &names) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&]() {
    return parser.parseAttribute(names.emplace_back());
  });
}

#define GET_ATTRDEF_CLASSES
#include "dialects/Kernel/IR/KernelAttributes.cpp.inc"

void KernelDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Kernel/IR/KernelAttributes.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

LogicalResult TileAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               Instruction instruction, int64_t rows,
                               int64_t columns, int64_t depth) {
  const InstructionInfo &info = getInfo(instruction);
  bool isTile = info.kind == InstructionInfo::Kind::Tile;
  bool isBlock = isTile && !info.takesBytes();
  if (columns <= 0 || rows <= 0) // (C1)
    return emitError() << "expected a tile of at least 1 x 1, found " << rows
                       << " x " << columns;
  if (isBlock && (rows % 32 != 0 || columns % 32 != 0)) // (C2)
    return emitError() << "expected multiples of 32 rows and columns of '"
                       << info.name << "', found " << rows << " x " << columns;
  auto fits = [](int64_t size) { return size == 16 || size == 32; };
  if (isTile && !isBlock && (!fits(columns) || !fits(rows))) // (C2)
    return emitError() << "expected 16 or 32 rows and columns of '" << info.name
                       << "', found " << rows << " x " << columns;
  if (depth != 0 && (!isBlock || depth < 0 || depth % 32 != 0)) // (C3)
    return emitError() << "expected a multiple of 32 elements at a time, of a "
                       << "block of tile registers, found " << depth;
  return success();
}

//===----------------------------------------------------------------------===//
// Nests
//===----------------------------------------------------------------------===//

/// 256 x 32 ["fma.512" 8 x 32, "fma.512" 1 x 16]
static void printNest(AsmPrinter &printer, NestAttr nest) {
  printer << nest.getMc() << " x " << nest.getNc()
          << (nest.getPrefetch() ? " prefetch [" : " [");
  llvm::interleaveComma(nest.getTiles(), printer, [&](TileAttr tile) {
    printer << '"' << getInfo(tile.getInstruction()).name << "\" "
            << tile.getRows() << " x " << tile.getColumns();
    if (tile.getDepth() != 0)
      printer << " by " << tile.getDepth();
  });
  printer << "]";
}

static ParseResult parseExtents(AsmParser &parser, int64_t &rows,
                                int64_t &columns) {
  return failure(parser.parseInteger(rows) || parser.parseKeyword("x") ||
                 parser.parseInteger(columns));
}

static FailureOr<NestAttr> parseNest(AsmParser &parser) {
  int64_t mc = 0, nc = 0;
  SmallVector<TileAttr> tiles;
  auto parseTile = [&]() -> ParseResult {
    int64_t rows = 0, columns = 0, depth = 0;
    FailureOr<Instruction> instruction = parseInstruction(parser);
    if (failed(instruction) || parseExtents(parser, rows, columns) ||
        (succeeded(parser.parseOptionalKeyword("by")) &&
         parser.parseInteger(depth)))
      return failure();
    tiles.push_back(parser.getChecked<TileAttr>(
        parser.getContext(), *instruction, rows, columns, depth));
    return success(tiles.back() != nullptr);
  };
  if (parseExtents(parser, mc, nc))
    return failure();
  bool prefetch = succeeded(parser.parseOptionalKeyword("prefetch"));
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseTile))
    return failure();
  auto nest =
      parser.getChecked<NestAttr>(parser.getContext(), mc, nc, prefetch, tiles);
  if (!nest)
    return failure();
  return nest;
}

void NestAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printNest(printer, *this);
  printer << ">";
}

Attribute NestAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess())
    return {};
  FailureOr<NestAttr> nest = parseNest(parser);
  if (failed(nest) || parser.parseGreater())
    return {};
  return *nest;
}

LogicalResult NestAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               int64_t mc, int64_t nc, bool,
                               ArrayRef<TileAttr> tiles) {
  if (mc <= 0 || nc <= 0 || tiles.empty()) // (C1)
    return emitError() << "expected blocks of at least 1 x 1 and a tile, found "
                       << mc << " x " << nc << " and " << tiles.size()
                       << " tiles";
  for (auto [above, below] :
       llvm::zip_equal(tiles.drop_back(), tiles.drop_front()))
    if (below.getRows() >= above.getRows()) // (C2)
      return emitError() << "expected fewer than " << above.getRows()
                         << " rows in the next tile, found " << below.getRows();
  bool isOneBlock = tiles.size() == 1 && tiles.front().isBlock();
  if (tiles.back().getRows() > 1 && !isOneBlock) // (C2)
    return emitError() << "expected a last tile of 1 row, or nothing but a "
                          "block, found "
                       << tiles.back().getRows();
  return success();
}

//===----------------------------------------------------------------------===//
// Schedules
//===----------------------------------------------------------------------===//

void ScheduleAttr::print(AsmPrinter &printer) const {
  printer << "<";
  if (getPrefill()) {
    printer << "prefill = ";
    printNest(printer, getPrefill());
    printer << ", decode = ";
  } else {
    printer << "rows = ";
  }
  printNest(printer, getRows());
  printer << ">";
}

Attribute ScheduleAttr::parse(AsmParser &parser, Type) {
  NestAttr prefill;
  auto parseNamed = [&](StringRef name) -> FailureOr<NestAttr> {
    if (parser.parseKeyword(name) || parser.parseEqual())
      return failure();
    return parseNest(parser);
  };
  if (parser.parseLess())
    return {};
  StringRef last = "rows";
  if (succeeded(parser.parseOptionalKeyword("prefill"))) {
    if (parser.parseEqual())
      return {};
    FailureOr<NestAttr> nest = parseNest(parser);
    if (failed(nest) || parser.parseComma())
      return {};
    prefill = *nest;
    last = "decode";
  }
  FailureOr<NestAttr> rows = parseNamed(last);
  if (failed(rows) || parser.parseGreater())
    return {};
  return ScheduleAttr::get(parser.getContext(), *rows, prefill);
}

//===----------------------------------------------------------------------===//
// Cuts
//===----------------------------------------------------------------------===//

void CutAttr::print(AsmPrinter &printer) const {
  if (isScattered())
    printer << "<scattered>";
  else
    printer << "<dim " << getDim() << " by " << getUnit() << ">";
}

Attribute CutAttr::parse(AsmParser &parser, Type) {
  int64_t dim = 0, unit = 0;
  if (parser.parseLess())
    return {};
  if (failed(parser.parseOptionalKeyword("scattered"))) {
    llvm::SMLoc loc = parser.getCurrentLocation();
    if (parser.parseKeyword("dim") || parser.parseInteger(dim) ||
        parser.parseKeyword("by") || parser.parseInteger(unit))
      return {};
    if (unit == 0) { // (C1); in memory it would say that it is scattered
      parser.emitError(loc) << "expected a unit of at least 1, found 0";
      return {};
    }
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<CutAttr>(parser.getContext(), dim, unit);
}

LogicalResult CutAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                              int64_t dim, int64_t unit) {
  if (dim >= 0 && (unit > 0 || (unit == 0 && dim == 0))) // (C1)
    return success();
  return emitError() << "expected a dimension and a unit of at least 1, found "
                     << dim << " and " << unit;
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

LogicalResult PhaseAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                ArrayRef<StringAttr>, ArrayRef<StringAttr>,
                                ArrayRef<StringAttr>, StringAttr rows, bool) {
  if (llamaabi::parsePhaseRows(rows.getValue())) // (C1)
    return success();
  return emitError() << "expected 'rows', 'prompt_rows', 'generated_rows' or "
                        "'logit_rows', found "
                     << rows;
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

LogicalResult VectorsAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                  int64_t lanes, int64_t rowElements,
                                  int64_t accumulators) {
  if (lanes > 0 && rowElements > 0 && accumulators > 0) // (C1)
    return success();
  return emitError() << "expected positive numbers, found " << lanes << ", "
                     << rowElements << " and " << accumulators;
}

VectorsAttr llama::findVectors(Operation *op) {
  Operation *module = op;
  while (module->getParentOp())
    module = module->getParentOp();
  if (auto vectors = module->getAttrOfType<VectorsAttr>(kVectorsAttr))
    return vectors;
  op->emitError() << "expected a module with '" << kVectorsAttr
                  << "', which --llama-cpu-select-kernels sets";
  return {};
}
