//===- KernelDialect.td - Named matrix products -------------*- tablegen -*-===//

#ifndef LLAMA_DIALECTS_KERNEL_IR_KERNELDIALECT
#define LLAMA_DIALECTS_KERNEL_IR_KERNELDIALECT

include "mlir/IR/OpBase.td"

def Kernel_Dialect : Dialect {
  let name = "kernel";
  let summary = "matrix products with names, and what was decided about them";
  let description = [{
    What is left of a model when its llama ops have become loops and element by
    element arithmetic: the products of activations with matrices, each an op
    that says which matrix it reads, and the barriers between threads, each with
    the phase that begins there. One pass decides how a product is computed
    (`#kernel.schedule`); the passes after it obey.
  }];
  let cppNamespace = "::mlir::llama";
  let extraClassDeclaration = "void registerAttributes();";
  let usePropertiesForAttributes = 1;
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
}

class Kernel_Op<string mnemonic, list<Trait> traits = []>
    : Op<Kernel_Dialect, mnemonic, traits>;

#endif // LLAMA_DIALECTS_KERNEL_IR_KERNELDIALECT
