//===- LlamaQuantizedType.td - Small integers with scales --*- tablegen -*-===//

#ifndef LLAMA_DIALECTS_LLAMA_IR_LLAMAQUANTIZEDTYPE
#define LLAMA_DIALECTS_LLAMA_IR_LLAMAQUANTIZEDTYPE

include "dialects/Llama/IR/LlamaDialect.td"
include "mlir/IR/AttrTypeBase.td"

def Llama_QuantizedType : TypeDef<Llama_Dialect, "Quantized"> {
  let mnemonic = "quantized";
  let summary = "quantized integer";
  let description = [{
    `!llama.quantized<bits, group>`: along a row, `group` neighbouring elements
    share one scale (f16). An element is

    ```
    scale * (q - 2^(bits - 1)),   0 <= q < 2^bits
    ```

    and of `!llama.quantized<bits, group, minimum>`, whose groups share a minimum
    (f16) as well,

    ```
    scale * q + minimum
    ```

    Constraints:

    - (C1) `bits` is 4 or 8.
    - (C2) `group` is 32, 64, 128 or 256.

    How such a matrix is stored is up to the target: `runtime/abi/PanelLayout.h` for CPUs.

    Example:

    ```mlir
    llama.weight @output : tensor<128256x2048x!llama.quantized<8, 128>>
    llama.weight @w : tensor<2048x2048x!llama.quantized<4, 32, minimum>>
    ```
  }];
  let parameters = (ins "unsigned":$bits, "unsigned":$group,
                        DefaultValuedParameter<"bool", "false">:$minimum);
  let assemblyFormat = "`<` $bits `,` $group `` custom<Minimum>($minimum) `>`";
  let builders = [
    TypeBuilder<(ins "unsigned":$bits, "unsigned":$group), [{
      return $_get($_ctxt, bits, group, /*minimum=*/false);
    }]>
  ];
  let genVerifyDecl = 1; // C1, C2
  let extraClassDeclaration = [{
    bool hasMinimum() const { return getMinimum(); }
  }];
}

#endif // LLAMA_DIALECTS_LLAMA_IR_LLAMAQUANTIZEDTYPE
