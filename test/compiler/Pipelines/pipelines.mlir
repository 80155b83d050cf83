// Two layers, from llama ops to the LLVM dialect.
//
// RUN: llama-opt %s --llama-pipeline-fuse | FileCheck %s --check-prefix=FUSE
// RUN: llama-opt %s --llama-pipeline-fuse --llama-pipeline-linalg -o %t.linalg.mlir
// RUN: FileCheck %s --check-prefix=LINALG --input-file=%t.linalg.mlir
// RUN: llama-opt %t.linalg.mlir --llama-pipeline-kernels=mcpu=znver4 -o %t.kernels.mlir
// RUN: FileCheck %s --check-prefix=KERNELS --input-file=%t.kernels.mlir
// RUN: llama-opt %t.kernels.mlir --llama-pipeline-llvm -o %t.llvm.mlir
// RUN: FileCheck %s --check-prefix=LLVM --input-file=%t.llvm.mlir

// The same with f32 throughout.
// RUN: sed s/bf16/f32/g %s > %t.f32.mlir
// RUN: llama-opt %t.f32.mlir --llama-pipeline-fuse --llama-pipeline-linalg -o %t.f32.linalg.mlir
// RUN: llama-opt %t.f32.linalg.mlir --llama-pipeline-kernels=mcpu=znver4 -o %t.f32.kernels.mlir
// RUN: FileCheck %s --check-prefix=KERNELS --input-file=%t.f32.kernels.mlir
// RUN: FileCheck %s --check-prefix=PRODUCTS --input-file=%t.f32.kernels.mlir
// RUN: llama-opt %t.f32.linalg.mlir --llama-pipeline-kernels=mcpu=x86-64-v3 | FileCheck %s --check-prefix=NARROW
// RUN: llama-opt %t.f32.kernels.mlir --llama-pipeline-llvm | FileCheck %s --check-prefix=LLVM

// Every box is part of a group, but for the ends of the model.
// FUSE-LABEL: func private @layer
// FUSE-NOT: llama.{{linear|rope|add|mul|silu|softmax|causal_mask|attention_scores|attention_output|cache_append}} %
// FUSE: llama.rms_norm
// FUSE: llama.qkv_rope_append
// FUSE: llama.fused_attention
// FUSE: llama.linear
// FUSE-NEXT: llama.get_weight @layers.ffn_norm
// FUSE-NEXT: llama.add_rms_norm
// FUSE: llama.swiglu
// FUSE: llama.linear
// FUSE-NEXT: llama.add %
// FUSE-LABEL: func @forward

// Products have names; of llama ops only the declarations of weights are left.
// LINALG-NOT: llama.{{[a-z_]+}} %
// LINALG: llama.weight @layers.attention.wq layered layout "panels16" : tensor<2x64x64xbf16>
// LINALG: llama.weight @norm : tensor<64xbf16>
// LINALG-LABEL: func.func private @layer
// LINALG: kernel.matmul {{.*}} matrix(@layers.attention.wq[%{{.*}}] : {{.*}} part_of "qkv_rope_append"
// LINALG-COUNT-6: kernel.matmul
// LINALG-LABEL: func.func @forward
// LINALG: kernel.matmul {{.*}} matrix(@tok_embeddings : {{.*}} part_of "logits" logits
// LINALG-NOT: {{kernel.matmul|llama.get_weight}}

// Loops around vectors, in memory that is somebody else's.
// KERNELS: kernel.phases = [#kernel.phase<
// KERNELS-SAME: kernel.vectors = #kernel.vectors<lanes = 16, row_elements = 64, accumulators = 16>
// KERNELS-SAME: llama.target = {cpu = "znver4"
// KERNELS-SAME: llama.weights_bytes =
// KERNELS: llama.weight @tok_embeddings layout "panels16" at 0 :
// KERNELS-NOT: {{tensor\.|linalg\.|bufferization\.|memref\.alloc\(|memref\.alloc |memref\.copy|scf\.forall}}
// KERNELS-NOT: {{kernel\.(matmul|stored_weight|prefill_rows|barrier)|vector\.multi_reduction|vector\.contract}}
// KERNELS: func.func private @layer
// KERNELS-NOT: {{tensor<|tensor\.|linalg\.|bufferization\.|memref\.alloc\(|memref\.alloc |memref\.copy|scf\.forall}}
// KERNELS-NOT: {{kernel\.(matmul|stored_weight|prefill_rows|barrier)|vector\.multi_reduction|vector\.contract}}
// KERNELS: func.func private @forward
// KERNELS-NOT: {{tensor<|tensor\.|linalg\.|bufferization\.|memref\.alloc\(|memref\.alloc |memref\.copy|scf\.forall}}
// KERNELS-NOT: {{kernel\.(matmul|stored_weight|prefill_rows|barrier)|vector\.multi_reduction|vector\.contract}}
// KERNELS: func.func @llama_workspace_bytes(%{{.*}}: index, %{{.*}}: index) -> index
// KERNELS: func.func @llama_forward(%{{[a-z0-9]*}}: !llvm.ptr)
// KERNELS-NOT: {{tensor<|tensor\.|linalg\.|bufferization\.|memref\.alloc\(|memref\.alloc |memref\.copy|scf\.forall}}
// KERNELS-NOT: {{kernel\.(matmul|stored_weight|prefill_rows|barrier)|vector\.multi_reduction|vector\.contract}}

// Eight rows by two panels, sixteen sums, twice: the first rows apart from the others,
// for they ask for the panels of the next; then single rows by two panels. Sums are
// carried in registers, and none is stored before the end. Key and value have two
// blocks of 16 columns, w2 has longer rows.
// PRODUCTS: func.func private @[[FIRST:matmul_fma.512_8x32_[0-9]+]](
// PRODUCTS: -> {{\((vector<16xf32>(, )?){16}\) }}{
// PRODUCTS-NOT: {{vector.reduction|vector.transfer_write|vector.store|memref.store|func.call}}
// PRODUCTS: scf.yield {{.*}} : {{(vector<16xf32>(, )?){16}$}}
// PRODUCTS: func.func private @[[OTHERS:matmul_fma.512_8x32_[0-9]+]](
// PRODUCTS: -> {{\((vector<16xf32>(, )?){16}\) }}{
// PRODUCTS-NOT: {{vector.reduction|vector.transfer_write|vector.store|memref.store|func.call}}
// PRODUCTS: scf.yield {{.*}} : {{(vector<16xf32>(, )?){16}$}}
// PRODUCTS: func.func private @[[SINGLE:matmul_fma.512_1x32_[0-9]+]](
// PRODUCTS: -> {{\((vector<16xf32>(, )?){2}\) }}{
// PRODUCTS-NOT: {{vector.reduction|vector.transfer_write|vector.store|memref.store|func.call}}
// PRODUCTS: scf.yield {{.*}} : {{(vector<16xf32>(, )?){2}$}}
// PRODUCTS: func.func private @[[FIRST16:matmul_fma.512_8x16_[0-9]+]](
// PRODUCTS: -> {{\((vector<16xf32>(, )?){8}\) }}{
// PRODUCTS-NOT: {{vector.reduction|vector.transfer_write|vector.store|memref.store|func.call}}
// PRODUCTS: scf.yield {{.*}} : {{(vector<16xf32>(, )?){8}$}}
// PRODUCTS: func.func private @[[OTHERS16:matmul_fma.512_8x16_[0-9]+]](
// PRODUCTS: -> {{\((vector<16xf32>(, )?){8}\) }}{
// PRODUCTS-NOT: {{vector.reduction|vector.transfer_write|vector.store|memref.store|func.call}}
// PRODUCTS: scf.yield {{.*}} : {{(vector<16xf32>(, )?){8}$}}
// PRODUCTS: func.func private @[[SINGLE16:matmul_fma.512_1x16_[0-9]+]](
// PRODUCTS: -> (vector<16xf32>) {
// PRODUCTS-NOT: {{vector.reduction|vector.transfer_write|vector.store|memref.store|func.call}}
// PRODUCTS: scf.yield {{.*}} : vector<16xf32>{{$}}
// PRODUCTS: func.func private @[[FIRST_W2:matmul_fma.512_8x32_[0-9]+]](
// PRODUCTS: -> {{\((vector<16xf32>(, )?){16}\) }}{
// PRODUCTS-NOT: {{vector.reduction|vector.transfer_write|vector.store|memref.store|func.call}}
// PRODUCTS: scf.yield {{.*}} : {{(vector<16xf32>(, )?){16}$}}
// PRODUCTS: func.func private @[[OTHERS_W2:matmul_fma.512_8x32_[0-9]+]](
// PRODUCTS: -> {{\((vector<16xf32>(, )?){16}\) }}{
// PRODUCTS-NOT: {{vector.reduction|vector.transfer_write|vector.store|memref.store|func.call}}
// PRODUCTS: scf.yield {{.*}} : {{(vector<16xf32>(, )?){16}$}}
// PRODUCTS: func.func private @[[SINGLE_W2:matmul_fma.512_1x32_[0-9]+]](
// PRODUCTS: -> {{\((vector<16xf32>(, )?){2}\) }}{
// PRODUCTS-NOT: {{vector.reduction|vector.transfer_write|vector.store|memref.store|func.call}}
// PRODUCTS: scf.yield {{.*}} : {{(vector<16xf32>(, )?){2}$}}
// PRODUCTS-NOT: func.func private @matmul
// PRODUCTS-LABEL: func.func private @layer
// Query, key, value.
// PRODUCTS: func.call @[[FIRST]](
// PRODUCTS: func.call @[[OTHERS]](
// PRODUCTS: func.call @[[SINGLE]](
// PRODUCTS: func.call @[[FIRST16]](
// PRODUCTS: func.call @[[OTHERS16]](
// PRODUCTS: func.call @[[SINGLE16]](
// PRODUCTS: func.call @[[FIRST16]](
// PRODUCTS: func.call @[[OTHERS16]](
// PRODUCTS: func.call @[[SINGLE16]](
// Attention's output; gate and up, side by side; down.
// PRODUCTS: func.call @[[FIRST]](
// PRODUCTS: func.call @[[OTHERS]](
// PRODUCTS: func.call @[[SINGLE]](
// PRODUCTS: func.call @[[FIRST]](
// PRODUCTS: func.call @[[FIRST]](
// PRODUCTS: func.call @[[OTHERS]](
// PRODUCTS: func.call @[[OTHERS]](
// PRODUCTS: func.call @[[SINGLE]](
// PRODUCTS: func.call @[[SINGLE]](
// PRODUCTS: func.call @[[FIRST_W2]](
// PRODUCTS: func.call @[[OTHERS_W2]](
// PRODUCTS: func.call @[[SINGLE_W2]](
// PRODUCTS-NOT: func.call @matmul
// PRODUCTS-LABEL: func.func private @forward
// Logits: 96 columns.
// PRODUCTS: func.call @[[FIRST]](
// PRODUCTS: func.call @[[OTHERS]](
// PRODUCTS: func.call @[[SINGLE]](
// PRODUCTS-NOT: func.call @matmul

// Four rows by a panel, single rows by two: eight sums and four, of 8 lanes.
// NARROW-COUNT-2: scf.yield {{.*}} : {{(vector<8xf32>(, )?){8}$}}
// NARROW: scf.yield {{.*}} : {{(vector<8xf32>(, )?){4}$}}
// NARROW-NOT: math.fma {{.*}} : vector<16xf32>
// NARROW-LABEL: func.func private @layer

// LLVM-NOT: {{(^|[ "])(func|scf|cf|arith|math|vector|memref|affine|ub|tensor|linalg)\.[a-z_]+ }}
// LLVM: llvm.func @llama_workspace_bytes(%{{.*}}: i64, %{{.*}}: i64) -> i64
// LLVM: llvm.func @llama_forward(%{{[a-z0-9]*}}: !llvm.ptr)
// LLVM-NOT: {{(^|[ "])(func|scf|cf|arith|math|vector|memref|affine|ub|tensor|linalg)\.[a-z_]+ }}
// LLVM-NOT: unrealized_conversion_cast

module attributes {llama.activations = bf16, llama.kv_type = bf16, llama.max_seq_len = 512 : i64} {
  llama.weight @tok_embeddings : tensor<96x64xbf16>
  llama.weight @layers.attention_norm layered : tensor<2x64xbf16>
  llama.weight @layers.attention.wq layered : tensor<2x64x64xbf16>
  llama.weight @layers.attention.wk layered : tensor<2x32x64xbf16>
  llama.weight @layers.attention.wv layered : tensor<2x32x64xbf16>
  llama.weight @layers.attention.wo layered : tensor<2x64x64xbf16>
  llama.weight @layers.ffn_norm layered : tensor<2x64xbf16>
  llama.weight @layers.feed_forward.w1 layered : tensor<2x128x64xbf16>
  llama.weight @layers.feed_forward.w2 layered : tensor<2x64x128xbf16>
  llama.weight @layers.feed_forward.w3 layered : tensor<2x128x64xbf16>
  llama.weight @norm : tensor<64xbf16>
  func.func private @layer(
      %x: tensor<?x64xf32> {llama.argument = "stream", llama.row_count = "rows"},
      %layer: index {llama.argument = "layer"},
      %cos: tensor<?x8xf32> {llama.argument = "cosine", llama.row_count = "rows"},
      %sin: tensor<?x8xf32> {llama.argument = "sine", llama.row_count = "rows"},
      %kv: memref<?x2x2x2x64x16xbf16> {llama.argument = "kv"},
      %p: tensor<?xi32> {llama.argument = "positions", llama.row_count = "rows"},
      %s: tensor<?xi32> {llama.argument = "sequences", llama.row_count = "rows"},
      %tables: tensor<?x?xi32> {llama.argument = "block_tables"}) -> tensor<?x64xf32> {
    %an = llama.get_weight @layers.attention_norm[%layer] : tensor<64xbf16>
    %normed = llama.rms_norm %x, %an eps 1.0e-05 : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xbf16>
    %wq = llama.get_weight @layers.attention.wq[%layer] : tensor<64x64xbf16>
    %q = llama.linear %normed, %wq : tensor<?x64xbf16>, tensor<64x64xbf16> -> tensor<?x64xf32>
    %qr = llama.rope %q, %cos, %sin : tensor<?x64xf32>, tensor<?x8xf32>
    %wk = llama.get_weight @layers.attention.wk[%layer] : tensor<32x64xbf16>
    %k = llama.linear %normed, %wk : tensor<?x64xbf16>, tensor<32x64xbf16> -> tensor<?x32xf32>
    %kr = llama.rope %k, %cos, %sin : tensor<?x32xf32>, tensor<?x8xf32>
    %wv = llama.get_weight @layers.attention.wv[%layer] : tensor<32x64xbf16>
    %v = llama.linear %normed, %wv : tensor<?x64xbf16>, tensor<32x64xbf16> -> tensor<?x32xf32>
    llama.cache_append %kr, %v cache %kv[%layer] rows(%p, %s, %tables) : tensor<?x32xf32>, memref<?x2x2x2x64x16xbf16>
    %scores = llama.attention_scores %qr cache %kv[%layer] rows(%p, %s, %tables)
        : tensor<?x64xf32>, memref<?x2x2x2x64x16xbf16> -> tensor<?x4x?xf32>
    %masked = llama.causal_mask %scores, %p : tensor<?x4x?xf32>
    %weights = llama.softmax %masked : tensor<?x4x?xf32>
    %mixed = llama.attention_output %weights cache %kv[%layer] rows(%p, %s, %tables)
        : tensor<?x4x?xf32>, memref<?x2x2x2x64x16xbf16> -> tensor<?x64xbf16>
    %wo = llama.get_weight @layers.attention.wo[%layer] : tensor<64x64xbf16>
    %o = llama.linear %mixed, %wo : tensor<?x64xbf16>, tensor<64x64xbf16> -> tensor<?x64xf32>
    %between = llama.add %x, %o : tensor<?x64xf32>
    %fn = llama.get_weight @layers.ffn_norm[%layer] : tensor<64xbf16>
    %normed2 = llama.rms_norm %between, %fn eps 1.0e-05 : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xbf16>
    %w1 = llama.get_weight @layers.feed_forward.w1[%layer] : tensor<128x64xbf16>
    %gate = llama.linear %normed2, %w1 : tensor<?x64xbf16>, tensor<128x64xbf16> -> tensor<?x128xf32>
    %w3 = llama.get_weight @layers.feed_forward.w3[%layer] : tensor<128x64xbf16>
    %up = llama.linear %normed2, %w3 : tensor<?x64xbf16>, tensor<128x64xbf16> -> tensor<?x128xf32>
    %active = llama.silu %gate : tensor<?x128xf32>
    %hidden = llama.mul %active, %up : tensor<?x128xf32> -> tensor<?x128xbf16>
    %w2 = llama.get_weight @layers.feed_forward.w2[%layer] : tensor<64x128xbf16>
    %down = llama.linear %hidden, %w2 : tensor<?x128xbf16>, tensor<64x128xbf16> -> tensor<?x64xf32>
    %y = llama.add %between, %down : tensor<?x64xf32>
    return %y : tensor<?x64xf32>
  }
  func.func @forward(
      %tokens: tensor<?xi32> {llama.argument = "tokens", llama.row_count = "rows"},
      %p: tensor<?xi32> {llama.argument = "positions", llama.row_count = "rows"},
      %s: tensor<?xi32> {llama.argument = "sequences", llama.row_count = "rows"},
      %tables: tensor<?x?xi32> {llama.argument = "block_tables"},
      %kv: memref<?x2x2x2x64x16xbf16> {llama.argument = "kv"},
      %list: tensor<?xi32> {llama.argument = "logit_row_list", llama.row_count = "logit_rows"},
      %out: memref<?x96xf32> {llama.argument = "logits", llama.row_count = "logit_rows"}) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %table = llama.get_weight @tok_embeddings : tensor<96x64xbf16>
    %x = llama.embed %tokens, %table : tensor<96x64xbf16> -> tensor<?x64xf32>
    %cos, %sin = llama.rope_angles %p frequencies [1.0, 0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125]
        : tensor<?x8xf32>
    %y = scf.for %layer = %c0 to %c2 step %c1 iter_args(%stream = %x) -> (tensor<?x64xf32>) {
      %next = func.call @layer(%stream, %layer, %cos, %sin, %kv, %p, %s, %tables)
          : (tensor<?x64xf32>, index, tensor<?x8xf32>, tensor<?x8xf32>, memref<?x2x2x2x64x16xbf16>,
             tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>) -> tensor<?x64xf32>
      scf.yield %next : tensor<?x64xf32>
    }
    %n = llama.get_weight @norm : tensor<64xbf16>
    %normed = llama.rms_norm %y, %n eps 1.0e-05 : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xbf16>
    %logits = llama.logits %normed[%list], %table : tensor<?x64xbf16>, tensor<96x64xbf16> -> tensor<?x96xf32>
    bufferization.materialize_in_destination %logits in restrict writable %out : (tensor<?x96xf32>, memref<?x96xf32>)
        -> ()
    return
  }
}
