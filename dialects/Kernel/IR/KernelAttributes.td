//===- KernelAttributes.td - Schedules and phases ----------*- tablegen -*-===//

#ifndef LLAMA_DIALECTS_KERNEL_IR_KERNELATTRIBUTES
#define LLAMA_DIALECTS_KERNEL_IR_KERNELATTRIBUTES

include "dialects/Kernel/IR/KernelDialect.td"
include "mlir/IR/AttrTypeBase.td"

class Kernel_Attr<string name, string attrMnemonic>
    : AttrDef<Kernel_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def Kernel_Instruction : AttrOrTypeParameter<"::mlir::llama::Instruction",
                                             "instruction"> {
  let parser = "::mlir::llama::parseInstruction($_parser)";
  let printer = "$_printer << '\"' << ::mlir::llama::getInfo($_self).name << '\"'";
}

def Kernel_TileAttr : Kernel_Attr<"Tile", "tile"> {
  let summary = "what one register tile computes, and with which instruction";
  let description = [{
    `rows` rows of activations (mr) by `columns` rows of the matrix (nr), whose
    accumulators stay in registers while the sum runs over k.

    Of tile registers that take bf16 (AMX) it is a block of so many rows or fewer,
    computed 32 rows by 32 columns at a time. If `depth` is given, the sums of all
    of the block run over so many elements of k before they run over the next.

    Constraints:

    - (C1) `rows` and `columns` are positive.
    - (C2) tile registers take 16 or 32 rows and columns of bytes; a block takes
      multiples of 32.
    - (C3) `depth` is 0 or, of a block, a positive multiple of 32.

    Examples: `#kernel.tile<"vpdpbusd.512" 8 x 32>`, `#kernel.tile<"tdpbf16ps" 256 x 128 by 2048>`
  }];
  let parameters = (ins Kernel_Instruction:$instruction, "int64_t":$rows,
                        "int64_t":$columns,
                        DefaultValuedParameter<"int64_t", "0">:$depth);
  let assemblyFormat = "`<` $instruction $rows `x` $columns (`by` $depth^)? `>`";
  let extraClassDeclaration = [{
    bool isBlock() const {
      const InstructionInfo &info = getInfo(getInstruction());
      return info.kind == InstructionInfo::Kind::Tile && !info.takesBytes();
    }
  }];
  let genVerifyDecl = 1; // C1 to C3
}

def Kernel_NestAttr : Kernel_Attr<"Nest", "nest"> {
  let summary = "the loops around a product's register tiles";
  let description = [{
    ```
    for blocks of `mc` rows                             they stay in L2
      forall blocks of `nc` matrix rows                 threads
        for each of `tiles`: as many of its rows as fit
    ```

    With `prefetch` the first block of rows that vectors compute asks for the
    panels of the next columns, line by line while it reads its own: the others
    find them in the cache. A block of tile registers asks for those of its own
    `nc` columns.

    Constraints:

    - (C1) `mc` and `nc` are positive, and there is a tile.
    - (C2) tiles become lower from one to the next, and the last one takes any
      number of rows: its height is 1, or it is a block and the only one.

    Example: `#kernel.nest<256 x 32 prefetch ["vpdpbusd.512" 8 x 32, "vpdpbusd.512" 1 x 16]>`
  }];
  let parameters = (ins "int64_t":$mc, "int64_t":$nc, "bool":$prefetch,
                        ArrayRefParameter<"TileAttr">:$tiles);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1; // C1, C2
}

def Kernel_ScheduleAttr : Kernel_Attr<"Schedule", "schedule"> {
  let summary = "how a product is computed";
  let description = [{
    One nest for every row, or two: where tile registers add in another order than
    vectors do, the rows of prompts, which come first in a call, have a nest of
    their own, so that a row's bits depend on what it is and not on its company.

    Examples:

    ```mlir
    #kernel.schedule<rows = 256 x 32 ["vpdpbusd.512" 8 x 32, "vpdpbusd.512" 1 x 16]>
    #kernel.schedule<prefill = 256 x 128 prefetch ["tdpbf16ps" 128 x 32],
                     decode = 256 x 32 ["fma.512" 4 x 32, "fma.512" 1 x 16]>
    ```
  }];
  let parameters = (ins "NestAttr":$rows, OptionalParameter<"NestAttr">:$prefill);
  let hasCustomAssemblyFormat = 1;
}

def Kernel_VectorsAttr : Kernel_Attr<"Vectors", "vectors"> {
  let summary = "sizes of what is computed with vectors";
  let description = [{
    On a module, as `kernel.vectors`: for what is computed element by element and
    for attention. `lanes`: f32 elements of a register; `row_elements`: elements of
    a row handled at once; `accumulators`: registers for those of a product.

    Constraints:

    - (C1) all are positive.

    Example: `#kernel.vectors<lanes = 16, row_elements = 64, accumulators = 16>`
  }];
  let parameters = (ins "int64_t":$lanes, "int64_t":$row_elements,
                        "int64_t":$accumulators);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1; // C1
}

def Kernel_CutAttr : Kernel_Attr<"Cut", "cut"> {
  let summary = "how threads share the elements of a buffer";
  let description = [{
    Along dimension `dim` each `unit` elements are written by one thread; by which
    is decided while they run (`kernel.take_share`). A buffer that threads write
    in no such units (the KV cache) is `scattered`.

    Constraints:

    - (C1) `dim` is not negative and `unit` is positive; both are 0 of what is
      scattered.

    Examples: `#kernel.cut<dim 1 by 32>`, `#kernel.cut<scattered>`
  }];
  let parameters = (ins "int64_t":$dim, "int64_t":$unit);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    bool isScattered() const { return getUnit() == 0; }
  }];
  let genVerifyDecl = 1; // C1
}

def Kernel_PhaseAttr : Kernel_Attr<"Phase", "phase"> {
  let summary = "what threads do from one barrier to the next";
  let description = [{
    `ops`: the llama ops that it is a part of. `matrices`: weights that every one
    of its rows is multiplied with; `tables`: weights of which each row reads
    some. `rows`: which rows those are, "prompt_rows", "generated_rows", both:
    "rows", or "logit_rows". `cache`: keys and values of the cache are read.

    Constraints:

    - (C1) `rows` is one of these four.

    Example:

    ```mlir
    #kernel.phase<ops = ["linear", "add_rms_norm"], matrices = ["layers.attention.wo"], tables = [], rows = "rows">
    ```
  }];
  let parameters = (ins ArrayRefParameter<"::mlir::StringAttr">:$ops,
                        ArrayRefParameter<"::mlir::StringAttr">:$matrices,
                        ArrayRefParameter<"::mlir::StringAttr">:$tables,
                        "::mlir::StringAttr":$rows,
                        DefaultValuedParameter<"bool", "false">:$cache);
  let assemblyFormat = [{
    `<` `ops` `=` custom<Names>($ops) `,` `matrices` `=` custom<Names>($matrices) `,`
    `tables` `=` custom<Names>($tables) `,` `rows` `=` $rows (`,` `cache` `=` $cache^)? `>`
  }];
  let genVerifyDecl = 1; // C1
}

#endif // LLAMA_DIALECTS_KERNEL_IR_KERNELATTRIBUTES
