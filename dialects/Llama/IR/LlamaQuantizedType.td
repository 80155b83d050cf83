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

    In memory a matrix is all its integers, then all its scales, then all its
    minimums. Each of these is panels of 16 rows; rows are padded with zeros to whole
    groups, and there are rows of zeros in the last panel. A lane of a vector is then
    a row of the matrix, and nothing is ever added over lanes:

    - Integers of a panel are lines of 64 bytes, 4 of each row: with 8 bits elements
      k to k + 3; with 4 bits these in the low halves, k + 4 to k + 7 in the high
      ones.
    - Scales (and minimums) of a panel are lines of 16, one of each row, a line for a
      group.

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
    /// Rows of a panel.
    static constexpr int64_t getPanelRows() { return 16; }
    /// Elements of each row in a line of a panel.
    int64_t getLineColumns() const { return 32 / getBits(); }
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
    /// Bytes of a stored matrix of `rows` and `columns`, panels filled up.
    int64_t getMatrixBytes(int64_t rows, int64_t columns) const;
  }];
}

#endif // LLAMA_DIALECTS_LLAMA_IR_LLAMAQUANTIZEDTYPE
