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

    In memory a matrix is all its integers, row by row, then all its scales, then all
    its minimums. A row is padded with zeros to whole groups and whole vectors of 64 bytes
    (`getPaddedColumns`), its integers are in the order in which kernels read them:

    - Every 64 elements of groups of 32, `a` and `b`, take turns by fours:
      `a0..a3 b0..b3 a4..a7 ..`. So the lanes of one vector alternate between two
      scales. Larger groups keep their order.
    - With 4 bits, each 64 bytes hold 128 elements: the low halves are the first 64,
      the high halves the other 64.

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
    /// Elements in 64 bytes.
    int64_t getVectorElements() const { return 512 / getBits(); }
    bool hasMinimum() const { return getMinimum(); }
    /// What stands for zero, without a minimum.
    int64_t getZeroPoint() const {
      return hasMinimum() ? 0 : int64_t(1) << (getBits() - 1);
    }
    /// Elements of a stored row of `columns`.
    int64_t getPaddedColumns(int64_t columns) const;
    /// Bytes of the integers of a stored row of `columns`.
    int64_t getRowBytes(int64_t columns) const;
    /// Scales of a stored row of `columns`, and minimums if there are any.
    int64_t getRowScales(int64_t columns) const;
    /// Bytes of a stored matrix of `rows` and `columns`.
    int64_t getMatrixBytes(int64_t rows, int64_t columns) const;
  }];
}

#endif // LLAMA_DIALECTS_LLAMA_IR_LLAMAQUANTIZEDTYPE
