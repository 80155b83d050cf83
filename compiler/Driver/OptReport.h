//===- OptReport.h - Which kernel every product got, and why ----*- C++ -*-===//
//
// kernel.matmul ops, what llama-cpu-select-kernels decides for them   =>
//
//   znver4: vectors of 512 bits, VNNI, vdpbf16ps
//   layers.attention.wq  [2048, 2048]  bf16  vdpbf16ps 8 x 32, ...
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_DRIVER_OPTREPORT_H
#define LLAMA_COMPILER_DRIVER_OPTREPORT_H

#include "compiler/CPU/Schedule/Schedule.h"

#include "mlir/IR/BuiltinOps.h"

namespace mlir::llama {

class OptReport {
public:
  /// The attention of a module of the stage `fuse`: a line in every table.
  void addAttention(ModuleOp module);
  /// The products of a module of the stage `linalg`, for one target: a table.
  void addProducts(ModuleOp module, const TargetInfo &target);

  /// A table for each target, or JSON.
  std::string getText() const;
  std::string getJson() const;

private:
  /// A product with a matrix, with what was decided about it.
  struct Product {
    std::string op, matrix;
    ProductShape shape;
    KernelChoice choice;
  };
  struct Attention {
    std::string op, type; ///< type: of the cache
    int64_t heads, kvHeads, headDim;
  };
  struct Section {
    TargetInfo target;
    std::vector<Product> products;
  };

  void print(llvm::raw_ostream &stream, const Section &section) const;

  std::vector<Attention> attentions;
  std::vector<Section> sections;
};

} // namespace mlir::llama

#endif // LLAMA_COMPILER_DRIVER_OPTREPORT_H
