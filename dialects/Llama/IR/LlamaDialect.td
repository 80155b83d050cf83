//===- LlamaDialect.td - The vocabulary of a Llama model ---*- tablegen -*-===//

#ifndef LLAMA_DIALECTS_LLAMA_IR_LLAMADIALECT
#define LLAMA_DIALECTS_LLAMA_IR_LLAMADIALECT

include "mlir/IR/OpBase.td"

def Llama_Dialect : Dialect {
  let name = "llama";
  let summary = "the words in which a Llama model is written";
  let description = [{
    One op per box of the usual figure of a Llama decoder, and one op per group
    of boxes that a fusion pass puts together. All of them work on rows: `T`
    positions of any number of sequences, the first dimension of every
    activation, is dynamic; everything else is static. Tensors have value
    semantics; the KV cache alone is memory and is a memref.

    Weights are symbols (`llama.weight`) without a value: the numbers never
    enter the IR.

    Shapes are spelled with the letters of one glossary: `T` rows, `hidden`,
    `ffn`, `vocab`, `layers`, `heads`, `kvHeads`, `headDim`.
  }];
  let cppNamespace = "::mlir::llama";
  let extraClassDeclaration = "void registerTypes();";
  let usePropertiesForAttributes = 1;
  let useDefaultTypePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
}

class Llama_Op<string mnemonic, list<Trait> traits = []>
    : Op<Llama_Dialect, mnemonic, traits>;

#endif // LLAMA_DIALECTS_LLAMA_IR_LLAMADIALECT
