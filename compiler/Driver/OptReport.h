//===- OptReport.h - Which kernel every product got, and why ----*- C++ -*-===//
//
// remarks of passes (compiler/CPU/KernelRemarks.h)   =>
//
//   znver4: vectors of 512 bits, VNNI, vdpbf16ps
//   layers.attention.wq  [2048, 2048]  bf16  vdpbf16ps 4 x 4, ...
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_DRIVER_OPTREPORT_H
#define LLAMA_COMPILER_DRIVER_OPTREPORT_H

#include "compiler/Machine/TargetInfo.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Remarks.h"

#include "llvm/ADT/StringMap.h"

#include <mutex>

namespace mlir::llama {

/// Lives as long as the context's passes run.
class OptReport {
public:
  explicit OptReport(MLIRContext &context);

  /// What passes say from here on is about the code for `target`. What they
  /// have said before is about that for every target.
  void begin(const TargetInfo &target);

  /// A table for each target, or JSON.
  std::string getText() const;
  std::string getJson() const;

private:
  friend class OptReportStreamer;

  using Arguments = llvm::StringMap<std::string>;

  /// A kernel and what one step of it computes.
  struct Kernel {
    std::string name, tile; ///< tile: "4 x 8", rows by rows of the matrix
    int64_t area = 0;       ///< of the tile
  };

  /// A product, or attention, which has no weight.
  struct Matmul {
    std::string op, weight;
    Arguments facts;           ///< of the analysis
    Arguments amx, panels;     ///< sizes of the loops, empty if there are none
    Kernel blocks, singleRows; ///< of several rows, of one
    SmallVector<std::pair<std::string, std::string>> refused; ///< and why
  };

  struct Section {
    TargetInfo target;
    std::vector<Matmul> matmuls;
  };

  void add(const remark::detail::Remark &remark);
  static void addTile(Matmul &matmul, StringRef kernel, StringRef tile);
  static std::string describePrompt(const Matmul &matmul);
  static std::string describeDecode(const Matmul &matmul);
  static void print(llvm::raw_ostream &stream, const Section &section);

  std::mutex lock; // functions are compiled side by side
  std::vector<Matmul> common;
  std::vector<Section> sections;
};

} // namespace mlir::llama

#endif // LLAMA_COMPILER_DRIVER_OPTREPORT_H
