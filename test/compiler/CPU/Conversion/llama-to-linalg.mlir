// RUN: llama-opt %s --convert-llama-to-linalg --canonicalize --cse --split-input-file | FileCheck %s \
// RUN:   --implicit-check-not='llama.{{[a-z_]+}} %%' --implicit-check-not=llama.get_weight

// A weight stays where it is declared; what is not a matrix of products stays in rows,
// and is read as it is stored.
// CHECK-DAG: llama.weight @norm : tensor<64xbf16>
// CHECK-DAG: llama.weight @layers.norm layered : tensor<5x64xf16>
// CHECK-LABEL: func @weights_are_read_as_they_are_stored
// CHECK-SAME: (%[[LAYER:.*]]: index)
// CHECK: %[[NORM:.*]] = kernel.stored_weight @norm : memref<64xbf16>
// CHECK: %[[W:.*]] = bufferization.to_tensor %[[NORM]] restrict : memref<64xbf16> to tensor<64xbf16>
// CHECK: %[[ONE:.*]] = kernel.stored_weight @layers.norm[%[[LAYER]]] : memref<64xf16>
// CHECK: %[[OFLAYER:.*]] = bufferization.to_tensor %[[ONE]] restrict
// CHECK: return %[[W]], %[[OFLAYER]]
llama.weight @norm : tensor<64xbf16>
llama.weight @layers.norm layered : tensor<5x64xf16>
func.func @weights_are_read_as_they_are_stored(%layer: index) -> (tensor<64xbf16>, tensor<64xf16>) {
  %0 = llama.get_weight @norm : tensor<64xbf16>
  %1 = llama.get_weight @layers.norm[%layer] : tensor<64xf16>
  return %0, %1 : tensor<64xbf16>, tensor<64xf16>
}

// -----

// A table that nothing is multiplied with stays in rows.
// CHECK: llama.weight @table : tensor<512x64xbf16>
// CHECK-LABEL: func @embed_copies_the_row_of_each_token
// CHECK-SAME: (%[[TOKENS:.*]]: tensor<?xi32>)
// CHECK: %[[STORED:.*]] = kernel.stored_weight @table : memref<512x64xbf16>
// CHECK: %[[TABLE:.*]] = bufferization.to_tensor %[[STORED]]
// CHECK: %[[ROWS:.*]] = tensor.dim %[[TOKENS]]
// CHECK: scf.forall (%[[T:.*]]) in (%[[ROWS]]) shared_outs(%[[OUT:.*]] = %{{.*}}) -> (tensor<?x64xf32>)
// CHECK:   %[[TOKEN:.*]] = tensor.extract %[[TOKENS]][%[[T]]]
// CHECK:   %[[ROW:.*]] = arith.index_cast %[[TOKEN]] : i32 to index
// CHECK:   tensor.extract_slice %[[TABLE]][%[[ROW]], 0] [1, 64]
// CHECK:   linalg.generic
// CHECK:     arith.extf %{{.*}} : bf16 to f32
// CHECK:   tensor.parallel_insert_slice %{{.*}} into %[[OUT]][%[[T]], 0] [1, 64]
llama.weight @table : tensor<512x64xbf16>
func.func @embed_copies_the_row_of_each_token(%tokens: tensor<?xi32>) -> tensor<?x64xf32> {
  %table = llama.get_weight @table : tensor<512x64xbf16>
  %0 = llama.embed %tokens, %table : tensor<512x64xbf16> -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}

// -----

// One that is a matrix of logits as well is in panels: a row is the same lane of each
// line, 2 elements at a time.
// CHECK: llama.weight @table layout "panels16" : tensor<512x64xbf16>
// CHECK-LABEL: func @embed_gathers_a_row_from_panels
// CHECK-SAME: (%[[TOKENS:.*]]: tensor<?xi32>, %[[X:.*]]: tensor<?x64xbf16>)
// CHECK: %[[PANELS:.*]] = kernel.stored_weight @table : memref<32x2048xi8>
// CHECK: scf.forall (%[[T:.*]]) in
// CHECK:   %[[TOKEN:.*]] = tensor.extract %[[TOKENS]][%[[T]]]
// CHECK:   %[[ROW:.*]] = arith.index_cast %[[TOKEN]]
// CHECK:   scf.for %[[LINE:.*]] = %c0 to %c32 step %c1
// CHECK:     %[[PANEL:.*]] = arith.divui %[[ROW]], %c16
// CHECK:     %[[LANE:.*]] = arith.remui %[[ROW]], %c16
// CHECK:     %[[BEGIN:.*]] = arith.muli %[[LINE]], %c64
// CHECK:     %[[INLINE:.*]] = arith.muli %[[LANE]], %c4
// CHECK:     %[[BYTE:.*]] = arith.addi %[[BEGIN]], %[[INLINE]]
// CHECK:     %[[WORD:.*]] = vector.load %[[PANELS]][%[[PANEL]], %[[BYTE]]] : {{.*}}, vector<4xi8>
// CHECK:     %[[PAIR:.*]] = vector.bitcast %[[WORD]] : vector<4xi8> to vector<2xbf16>
// CHECK:     arith.extf %[[PAIR]]
// CHECK:     %[[AT:.*]] = arith.muli %[[LINE]], %c2
// CHECK:     vector.transfer_write %{{.*}}[%[[AT]]]
// CHECK: kernel.matmul rows(%[[X]] : {{.*}} matrix(@table :
llama.weight @table : tensor<512x64xbf16>
func.func @embed_gathers_a_row_from_panels(%tokens: tensor<?xi32>, %x: tensor<?x64xbf16>)
    -> (tensor<?x64xf32>, tensor<?x512xf32>) {
  %table = llama.get_weight @table : tensor<512x64xbf16>
  %0 = llama.embed %tokens, %table : tensor<512x64xbf16> -> tensor<?x64xf32>
  %1 = llama.linear %x, %table : tensor<?x64xbf16>, tensor<512x64xbf16> -> tensor<?x512xf32>
  return %0, %1 : tensor<?x64xf32>, tensor<?x512xf32>
}

// -----

// Integers are always in panels: 4 of them, less the zero point, times the scale of the
// group, which lies after its lines.
// CHECK: llama.weight @table layout "panels16" : tensor<512x64x!llama.quantized<8, 32>>
// CHECK-LABEL: func @embed_of_integers
// CHECK: %[[ZEROPOINT:.*]] = arith.constant dense<128> : vector<4xi32>
// CHECK: %[[PANELS:.*]] = kernel.stored_weight @table : memref<32x1088xi8>
// CHECK: scf.for %[[LINE:.*]] = %c0 to %c16
// CHECK:   %[[GROUP:.*]] = arith.divui %[[LINE]], %c8
// CHECK:   %[[BEGIN:.*]] = arith.muli %[[GROUP]], %c544
// CHECK:   %[[BYTES:.*]] = vector.load %[[PANELS]]{{.*}}, vector<4xi8>
// CHECK:   %[[WIDE:.*]] = arith.extui %[[BYTES]]
// CHECK:   %[[INTEGERS:.*]] = arith.subi %[[WIDE]], %[[ZEROPOINT]]
// CHECK:   %[[FLOATS:.*]] = arith.sitofp %[[INTEGERS]]
// CHECK:   arith.addi %[[BEGIN]], %c512
// CHECK:   vector.load %[[PANELS]]{{.*}}, vector<2xi8>
// CHECK:   arith.mulf %[[FLOATS]],
llama.weight @table : tensor<512x64x!llama.quantized<8, 32>>
func.func @embed_of_integers(%tokens: tensor<?xi32>) -> tensor<?x64xf32> {
  %table = llama.get_weight @table : tensor<512x64x!llama.quantized<8, 32>>
  %0 = llama.embed %tokens, %table : tensor<512x64x!llama.quantized<8, 32>> -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}

// -----

// Computed in f32, rounded once at the end: two roundings would be one too many.
// CHECK-LABEL: func @rms_norm_sums_squares_and_divides
// CHECK-SAME: (%[[X:.*]]: tensor<?x64xf32>, %[[W:.*]]: tensor<64xbf16>)
// CHECK-DAG: %[[EPS:.*]] = arith.constant 9.99999974E-6 : f32
// CHECK-DAG: %[[COUNT:.*]] = arith.constant 6.400000e+01 : f32
// CHECK: %[[SQUARES:[^ ,:)]*]] = linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]} ins(%[[X]]
// CHECK-SAME: : tensor<?x64xf32>) outs(%{{[^ ,:)]*}} : tensor<?xf32>)
// CHECK: ^bb0(%[[V:.*]]: f32, %[[SUM:.*]]: f32):
// CHECK:   %[[SQUARE:.*]] = arith.mulf %[[V]], %[[V]]
// CHECK:   arith.addf %[[SUM]], %[[SQUARE]]
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]} ins(%[[X]], %[[SQUARES]], %[[W]]
// CHECK-SAME: : {{.*}}) outs(%{{[^ ,:)]*}} : tensor<?x64xbf16>)
// CHECK: ^bb0(%[[V:.*]]: f32, %[[SUM:.*]]: f32, %[[G:.*]]: bf16, %{{.*}}: bf16):
// CHECK:   %[[MEAN:.*]] = arith.divf %[[SUM]], %[[COUNT]]
// CHECK:   %[[MORE:.*]] = arith.addf %[[MEAN]], %[[EPS]]
// CHECK:   %[[ROOT:.*]] = math.sqrt %[[MORE]]
// CHECK:   %[[UNIT:.*]] = arith.divf %[[V]], %[[ROOT]]
// CHECK:   %[[GAIN:.*]] = arith.extf %[[G]] : bf16 to f32
// CHECK:   %[[Y:.*]] = arith.mulf %[[UNIT]], %[[GAIN]] : f32
// CHECK:   arith.truncf %[[Y]] : f32 to bf16
// CHECK-NOT: arith.truncf
func.func @rms_norm_sums_squares_and_divides(%x: tensor<?x64xf32>, %w: tensor<64xbf16>) -> tensor<?x64xbf16> {
  %0 = llama.rms_norm %x, %w eps 1.0e-05 : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xbf16>
  return %0 : tensor<?x64xbf16>
}

// -----

// A product keeps the name of its matrix, which is in panels from here on, and of the op
// that it is a part of.
// CHECK-DAG: llama.weight @layers.w layered layout "panels16" : tensor<5x172x64xf16>
// CHECK-LABEL: func @linear_is_a_product_with_a_name
// CHECK-SAME: (%[[X:.*]]: tensor<?x64xbf16>, %[[LAYER:.*]]: index)
// CHECK: %[[INTO:.*]] = tensor.empty(%{{.*}}) : tensor<?x172xf32>
// CHECK: %[[Y:[^ ,:)]*]] = kernel.matmul rows(%[[X]] : tensor<?x64xbf16>) matrix(@layers.w[%[[LAYER]]]
// CHECK-SAME: : tensor<172x64xf16>) into(%[[INTO]] : tensor<?x172xf32>) part_of "linear" -> tensor<?x172xf32>
// CHECK-NOT: linalg.
// CHECK: return %[[Y]]
llama.weight @layers.w layered : tensor<5x172x64xf16>
func.func @linear_is_a_product_with_a_name(%x: tensor<?x64xbf16>, %layer: index) -> tensor<?x172xf32> {
  %w = llama.get_weight @layers.w[%layer] : tensor<172x64xf16>
  %0 = llama.linear %x, %w : tensor<?x64xbf16>, tensor<172x64xf16> -> tensor<?x172xf32>
  return %0 : tensor<?x172xf32>
}

// -----

// CHECK-LABEL: func @angles_are_f64
// CHECK-SAME: (%[[P:.*]]: tensor<?xi32>)
// CHECK: %[[TABLE:.*]] = arith.constant dense<[1.000000e+00, 1.000000e-02]> : tensor<2xf64>
// CHECK: linalg.generic {{.*}} ins(%[[P]], %[[TABLE]] : tensor<?xi32>, tensor<2xf64>) outs(%{{[^ ,:)]*}}, %{{[^ ,:)]*}}
// CHECK-SAME: : tensor<?x2xf32>, tensor<?x2xf32>)
// CHECK:   %[[POSITION:.*]] = arith.sitofp %{{.*}} : i32 to f64
// CHECK:   %[[ANGLE:.*]] = arith.mulf %[[POSITION]], %{{.*}} : f64
// CHECK:   %[[COS:.*]] = math.cos %[[ANGLE]] : f64
// CHECK:   %[[COS32:.*]] = arith.truncf %[[COS]] : f64 to f32
// CHECK:   %[[SIN:.*]] = math.sin %[[ANGLE]] : f64
// CHECK:   %[[SIN32:.*]] = arith.truncf %[[SIN]] : f64 to f32
// CHECK:   linalg.yield %[[COS32]], %[[SIN32]]
func.func @angles_are_f64(%p: tensor<?xi32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %cos, %sin = llama.rope_angles %p frequencies [1.0, 0.01] : tensor<?x2xf32>
  return %cos, %sin : tensor<?x2xf32>, tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func @attention_factor_multiplies_both
// CHECK: %[[COS:.*]] = math.cos
// CHECK: %[[SCALED_COS:.*]] = arith.mulf %[[COS]], %{{.*}} : f64
// CHECK: %[[COS32:.*]] = arith.truncf %[[SCALED_COS]] : f64 to f32
// CHECK: %[[SIN:.*]] = math.sin
// CHECK: %[[SCALED_SIN:.*]] = arith.mulf %[[SIN]], %{{.*}} : f64
// CHECK: %[[SIN32:.*]] = arith.truncf %[[SCALED_SIN]] : f64 to f32
// CHECK: linalg.yield %[[COS32]], %[[SIN32]]
func.func @attention_factor_multiplies_both(%p: tensor<?xi32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %cos, %sin = llama.rope_angles %p frequencies [1.0, 0.01] factor 1.25 : tensor<?x2xf32>
  return %cos, %sin : tensor<?x2xf32>, tensor<?x2xf32>
}

// -----

// CHECK-DAG: #[[EVEN:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
// CHECK-DAG: #[[ODD:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 1)>
// CHECK-DAG: #[[ANGLE:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2)>
// CHECK-LABEL: func @rope_rotates_neighbouring_pairs
// CHECK-SAME: (%[[Q:.*]]: tensor<?x64xf32>, %[[COS:.*]]: tensor<?x4xf32>, %[[SIN:.*]]: tensor<?x4xf32>)
// CHECK: %[[PAIRS:.*]] = tensor.expand_shape %[[Q]] {{\[\[}}0], [1, 2, 3]] {{.*}} into tensor<?x8x4x2xf32>
// CHECK: linalg.generic {indexing_maps = [#[[EVEN]], #[[ODD]], #[[ANGLE]], #[[ANGLE]], {{.*}} ins(%[[PAIRS]],
// CHECK-SAME: %[[PAIRS]], %[[COS]], %[[SIN]] :
// CHECK: ^bb0(%[[A:.*]]: f32, %[[B:.*]]: f32, %[[C:.*]]: f32, %[[S:.*]]: f32, %{{.*}}: f32):
// CHECK-DAG: %[[AC:.*]] = arith.mulf %[[A]], %[[C]]
// CHECK-DAG: %[[BS:.*]] = arith.mulf %[[B]], %[[S]]
// CHECK-DAG: %[[FIRST:.*]] = arith.subf %[[AC]], %[[BS]]
// CHECK-DAG: %[[BC:.*]] = arith.mulf %[[B]], %[[C]]
// CHECK-DAG: %[[AS:.*]] = arith.mulf %[[A]], %[[S]]
// CHECK-DAG: %[[SECOND:.*]] = arith.addf %[[BC]], %[[AS]]
// CHECK-DAG: %[[J:.*]] = linalg.index 3
// CHECK: %[[IS_FIRST:.*]] = arith.cmpi eq, %[[J]], %c0
// CHECK: arith.select %[[IS_FIRST]], %[[FIRST]], %[[SECOND]]
// CHECK: tensor.collapse_shape {{.*}} into tensor<?x64xf32>
func.func @rope_rotates_neighbouring_pairs(%q: tensor<?x64xf32>, %cos: tensor<?x4xf32>, %sin: tensor<?x4xf32>)
    -> tensor<?x64xf32> {
  %0 = llama.rope %q, %cos, %sin : tensor<?x64xf32>, tensor<?x4xf32>
  return %0 : tensor<?x64xf32>
}

// -----

// Position p of sequence s is slot p mod 64 of block tables[s, p / 64]. Keys of a
// block are stored across.
// CHECK-LABEL: func @rows_go_to_their_slot_of_the_cache
// CHECK-SAME: (%[[K:[^ ,:)]*]]: tensor<?x32xf32>, %[[V:[^ ,:)]*]]: tensor<?x32xf32>,
// CHECK-SAME: %[[CACHE:[^ ,:)]*]]: memref<?x5x2x4x64x8xbf16>, %[[LAYER:[^ ,:)]*]]: index,
// CHECK-SAME: %[[P:[^ ,:)]*]]: tensor<?xi32>, %[[S:[^ ,:)]*]]: tensor<?xi32>, %[[TABLES:[^ ,:)]*]]: tensor<?x?xi32>)
// CHECK: scf.forall (%[[T:.*]]) in
// CHECK:   %[[P32:.*]] = tensor.extract %[[P]][%[[T]]]
// CHECK:   %[[POSITION:.*]] = arith.index_cast %[[P32]]
// CHECK:   %[[NUMBER:.*]] = arith.divui %[[POSITION]], %c64
// CHECK:   %[[SLOT:.*]] = arith.remui %[[POSITION]], %c64
// CHECK:   %[[S32:.*]] = tensor.extract %[[S]][%[[T]]]
// CHECK:   %[[SEQUENCE:.*]] = arith.index_cast %[[S32]]
// CHECK:   %[[B32:.*]] = tensor.extract %[[TABLES]][%[[SEQUENCE]], %[[NUMBER]]]
// CHECK:   %[[BLOCK:.*]] = arith.index_cast %[[B32]]
// CHECK:   tensor.extract_slice %[[K]][%[[T]], 0] [1, 32]
// CHECK:   memref.subview %[[CACHE]][%[[BLOCK]], %[[LAYER]], 0, 0, 0, 0] [1, 1, 1, 4, 64, 8]
// CHECK:   %[[ACROSS:.*]] = memref.expand_shape {{.*}} into memref<4x8x64xbf16
// CHECK:   %[[KEYS:.*]] = memref.subview %[[ACROSS]][0, 0, %[[SLOT]]] [4, 8, 1]
// CHECK:   arith.truncf %{{.*}} : f32 to bf16
// CHECK:   bufferization.materialize_in_destination %{{.*}} in restrict writable %[[KEYS]]
// CHECK:   tensor.extract_slice %[[V]][%[[T]], 0] [1, 32]
// CHECK:   memref.subview %[[CACHE]][%[[BLOCK]], %[[LAYER]], 1, 0, 0, 0] [1, 1, 1, 4, 64, 8]
// CHECK:   %[[VALUES:.*]] = memref.subview %{{.*}}[0, %[[SLOT]], 0] [4, 1, 8]
// CHECK:   bufferization.materialize_in_destination %{{.*}} in restrict writable %[[VALUES]]
func.func @rows_go_to_their_slot_of_the_cache(
    %k: tensor<?x32xf32>, %v: tensor<?x32xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  llama.cache_append %k, %v cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x32xf32>, memref<?x5x2x4x64x8xbf16>
  return
}

// -----

// CHECK-LABEL: func @silu
// CHECK: ^bb0(%[[X:.*]]: f32, %{{.*}}: f32):
// CHECK:   %[[MINUS:.*]] = arith.negf %[[X]]
// CHECK:   %[[EXP:.*]] = math.exp %[[MINUS]]
// CHECK:   %[[BELOW:.*]] = arith.addf %[[EXP]], %cst
// CHECK:   arith.divf %[[X]], %[[BELOW]]
func.func @silu(%x: tensor<?x172xf32>) -> tensor<?x172xf32> {
  %0 = llama.silu %x : tensor<?x172xf32>
  return %0 : tensor<?x172xf32>
}

// -----

// CHECK-LABEL: func @mul_rounds_the_product
// CHECK: %[[PRODUCT:.*]] = arith.mulf %{{.*}} : f32
// CHECK: arith.truncf %[[PRODUCT]] : f32 to bf16
func.func @mul_rounds_the_product(%a: tensor<?x172xf32>, %b: tensor<?x172xf32>) -> tensor<?x172xbf16> {
  %0 = llama.mul %a, %b : tensor<?x172xf32> -> tensor<?x172xbf16>
  return %0 : tensor<?x172xbf16>
}

// -----

// The residual stream is updated in place: it is the init, not an input.
// CHECK-LABEL: func @add_is_in_place
// CHECK-SAME: (%[[X:.*]]: tensor<?x64xf32>, %[[O:.*]]: tensor<?x64xf32>)
// CHECK-NOT: tensor.empty
// CHECK: linalg.generic {{.*}} ins(%[[O]] : tensor<?x64xf32>) outs(%[[X]] : tensor<?x64xf32>)
// CHECK: arith.addf
func.func @add_is_in_place(%x: tensor<?x64xf32>, %o: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %0 = llama.add %x, %o : tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}

// -----

// CHECK-LABEL: func @logits_of_the_rows_in_the_list
// CHECK-SAME: (%[[X:.*]]: tensor<?x64xbf16>, %[[LIST:.*]]: tensor<?xi32>)
// CHECK: %[[CHOSEN:.*]] = scf.forall (%[[L:.*]]) in
// CHECK:   %[[R32:.*]] = tensor.extract %[[LIST]][%[[L]]]
// CHECK:   %[[ROW:.*]] = arith.index_cast %[[R32]]
// CHECK:   tensor.extract_slice %[[X]][%[[ROW]], 0] [1, 64]
// CHECK: kernel.matmul rows(%[[CHOSEN]] : {{.*}} matrix(@output : {{.*}} part_of "logits" logits
llama.weight @output : tensor<512x64xbf16>
func.func @logits_of_the_rows_in_the_list(%x: tensor<?x64xbf16>, %list: tensor<?xi32>) -> tensor<?x512xf32> {
  %w = llama.get_weight @output : tensor<512x64xbf16>
  %0 = llama.logits %x[%list], %w : tensor<?x64xbf16>, tensor<512x64xbf16> -> tensor<?x512xf32>
  return %0 : tensor<?x512xf32>
}

// -----

// Each row is filled, then a few of its columns are written.
// CHECK-LABEL: func @scatter_logits
// CHECK-SAME: (%[[FEW:.*]]: tensor<?x2xf32>)
// CHECK-DAG: %[[NEVER:.*]] = arith.constant 0xFF800000 : f32
// CHECK-DAG: %[[TOKENS:.*]] = arith.constant dense<[7, 3]> : tensor<2xi32>
// CHECK: scf.forall (%[[ROW:.*]]) in
// CHECK:   %[[FROM:.*]] = tensor.extract_slice %[[FEW]][%[[ROW]], 0] [1, 2]
// CHECK:   %[[FILLED:.*]] = linalg.fill ins(%[[NEVER]]
// CHECK:   scf.for %[[I:.*]] = %c0 to %c2 step %c1 iter_args(%[[INTO:.*]] = %[[FILLED]])
// CHECK:     %[[SCORE:.*]] = tensor.extract %[[FROM]][%c0, %[[I]]]
// CHECK:     %[[T32:.*]] = tensor.extract %[[TOKENS]][%[[I]]]
// CHECK:     %[[T:.*]] = arith.index_cast %[[T32]]
// CHECK:     tensor.insert %[[SCORE]] into %[[INTO]][%c0, %[[T]]]
func.func @scatter_logits(%few: tensor<?x2xf32>) -> tensor<?x512xf32> {
  %0 = llama.scatter_logits %few to [7, 3] : tensor<?x2xf32> -> tensor<?x512xf32>
  return %0 : tensor<?x512xf32>
}

// -----

// Three products, two rotations, then the cache. Nobody else appends.
// CHECK-LABEL: func @qkv_rope_append
// CHECK-SAME: (%[[X:[a-z0-9]*]]: tensor<?x64xbf16>,
// CHECK: %[[Q:.*]] = kernel.matmul rows(%[[X]] : {{.*}} matrix(@wq : {{.*}} part_of "qkv_rope_append"
// CHECK: %[[K:.*]] = kernel.matmul rows(%[[X]] : {{.*}} matrix(@wk : {{.*}} part_of "qkv_rope_append"
// CHECK: %[[V:.*]] = kernel.matmul rows(%[[X]] : {{.*}} matrix(@wv : {{.*}} part_of "qkv_rope_append"
// CHECK: tensor.expand_shape %[[Q]]
// CHECK: %[[QUERY:.*]] = tensor.collapse_shape
// CHECK: tensor.expand_shape %[[K]]
// CHECK: %[[KEYS:.*]] = tensor.collapse_shape
// CHECK: scf.forall
// CHECK:   tensor.extract_slice %[[KEYS]]
// CHECK:   memref.subview {{.*}}[%{{.*}}, %{{.*}}, 0, 0, 0, 0]
// CHECK:   tensor.extract_slice %[[V]]
// CHECK:   memref.subview {{.*}}[%{{.*}}, %{{.*}}, 1, 0, 0, 0]
// CHECK: return %[[QUERY]]
llama.weight @wq : tensor<64x64xbf16>
llama.weight @wk : tensor<32x64xbf16>
llama.weight @wv : tensor<32x64xbf16>
func.func @qkv_rope_append(
    %x: tensor<?x64xbf16>, %cos: tensor<?x4xf32>, %sin: tensor<?x4xf32>, %cache: memref<?x5x2x4x64x8xbf16>,
        %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xf32> {
  %wq = llama.get_weight @wq : tensor<64x64xbf16>
  %wk = llama.get_weight @wk : tensor<32x64xbf16>
  %wv = llama.get_weight @wv : tensor<32x64xbf16>
  %q = llama.qkv_rope_append %x, %wq, %wk, %wv angles(%cos, %sin) cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xbf16>, tensor<64x64xbf16>, tensor<32x64xbf16>, tensor<32x64xbf16>, tensor<?x4xf32>,
      memref<?x5x2x4x64x8xbf16> -> tensor<?x64xf32>
  return %q : tensor<?x64xf32>
}

// -----

// A KV head and a row at a time: the two heads that share it (8 heads, 4 KV
// heads) are [2, 8]. Blocks 0 to position / 64 are visited. Scores after the
// position are hidden, values after it are not touched.
// CHECK-LABEL: func @fused_attention_visits_pages_up_to_the_position
// CHECK-SAME: (%[[Q:[^ ,:)]*]]: tensor<?x64xf32>, %[[CACHE:[^ ,:)]*]]: memref<?x5x2x4x64x8xbf16>,
// CHECK-SAME: %[[LAYER:[^ ,:)]*]]: index, %[[P:[^ ,:)]*]]: tensor<?xi32>, %[[S:[^ ,:)]*]]: tensor<?xi32>,
// CHECK-SAME: %[[TABLES:[^ ,:)]*]]: tensor<?x?xi32>)
// CHECK-DAG: %[[SCALE:.*]] = arith.constant 0.353553385 : f32
// CHECK-DAG: %[[LOWEST:.*]] = arith.constant 0xFF800000 : f32
// CHECK: scf.forall (%[[G:.*]], %[[T:.*]]) in (4, %{{.*}}) shared_outs(%[[OUT:.*]] = %{{.*}}) -> (tensor<?x64xbf16>)
// CHECK:   %[[COLUMN:.*]] = arith.muli %[[G]], %c16
// CHECK:   tensor.extract_slice %[[Q]][%[[T]], %[[COLUMN]]] [1, 16]
// CHECK:   %[[P32:.*]] = tensor.extract %[[P]][%[[T]]]
// CHECK:   %[[POSITION:.*]] = arith.index_cast %[[P32]]
// CHECK:   %[[LENGTH:.*]] = arith.addi %[[POSITION]], %c1
// CHECK:   %[[LAST:.*]] = arith.divui %[[POSITION]], %c64
// CHECK:   %[[BLOCKS:.*]] = arith.addi %[[LAST]], %c1
// CHECK:   %[[MAXIMUM:.*]] = linalg.fill ins(%[[LOWEST]] : f32) outs(%{{.*}} : tensor<2xf32>)
// CHECK:   %[[STATE:[^ ,:)]*]]:3 = scf.for %[[N:[^ ,:)]*]] = %c0 to %[[BLOCKS]] step %c1 iter_args(%{{[^ ,:)]*}} =
// CHECK-SAME:   %[[MAXIMUM]], %{{[^ ,:)]*}} = %{{[^ ,:)]*}}, %{{[^ ,:)]*}} = %{{[^ ,:)]*}}) -> (tensor<2xf32>,
// CHECK-SAME:   tensor<2xf32>, tensor<2x8xf32>)
// CHECK:     %[[BEFORE:.*]] = arith.muli %[[N]], %c64
// CHECK:     %[[REST:.*]] = arith.subi %[[LENGTH]], %[[BEFORE]]
// CHECK:     %[[COUNT:.*]] = arith.minui %[[REST]], %c64
// CHECK:     %[[B32:.*]] = tensor.extract %[[TABLES]][%{{.*}}, %[[N]]]
// CHECK:     %[[BLOCK:.*]] = arith.index_cast %[[B32]]
// CHECK:     memref.subview %[[CACHE]][%[[BLOCK]], %[[LAYER]], 0, %[[G]], 0, 0] [1, 1, 1, 1, 64, 8]
// CHECK:     %[[KEYS:.*]] = bufferization.to_tensor {{.*}} : {{.*}} to tensor<8x64xbf16>
// CHECK:     memref.subview %[[CACHE]][%[[BLOCK]], %[[LAYER]], 1, %[[G]], 0, 0] [1, 1, 1, 1, 64, 8]
// CHECK:     %[[VALUES:.*]] = bufferization.to_tensor {{.*}} : {{.*}} to tensor<64x8xbf16>
// CHECK:     linalg.generic {{.*}} ins(%{{.*}}, %[[KEYS]] : tensor<2x8xf32>, tensor<8x64xbf16>)
// CHECK:       %[[J:.*]] = linalg.index 1
// CHECK:       %[[WRITTEN:.*]] = arith.cmpi ult, %[[J]], %[[COUNT]]
// CHECK:       arith.select %[[WRITTEN]], %{{.*}}, %[[LOWEST]]
// CHECK:     arith.maximumf
// CHECK:     math.exp
// CHECK:     %[[USED:.*]] = tensor.extract_slice %[[VALUES]][0, 0] [%[[COUNT]], 8]
// CHECK:     linalg.generic {{.*}} ins(%{{.*}}, %[[USED]] : tensor<2x?xf32>, tensor<?x8xbf16>)
// CHECK:   arith.divf
// CHECK:   arith.truncf %{{.*}} : f32 to bf16
// CHECK:   tensor.parallel_insert_slice %{{.*}} into %[[OUT]][%[[T]], %[[COLUMN]]] [1, 16]
func.func @fused_attention_visits_pages_up_to_the_position(
    %q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xbf16> {
  %o = llama.fused_attention %q cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16>
      -> tensor<?x64xbf16>
  return %o : tensor<?x64xbf16>
}

// -----

// A cache of 8 bits: 64 x 8 elements of a head, then two rows of 64 bytes, the
// scales. Those of keys belong to the scores, those of values to the weights.
// CHECK-LABEL: func @cache_of_integers_has_scales
// CHECK: %[[HEAD:.*]] = memref.collapse_shape {{.*}} into memref<640xi8
// CHECK: memref.subview %[[HEAD]][0] [512] [1]
// CHECK: memref.subview %[[HEAD]][512] [128] [1]
// CHECK: bufferization.to_tensor {{.*}} to tensor<8x64xi8>
// CHECK: bufferization.to_tensor {{.*}} to tensor<2x64xi8>
// CHECK: arith.bitcast {{.*}} : i32 to f32
// CHECK: arith.sitofp {{.*}} : i8 to f32
// CHECK: arith.select
// CHECK: math.exp
// CHECK: linalg.generic {{.*}} : tensor<2x64xf32>, tensor<64xf32>) outs(%{{.*}} : tensor<2x64xf32>)
// CHECK: arith.sitofp {{.*}} : i8 to f32
func.func @cache_of_integers_has_scales(
    %q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x10xi8>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xbf16> {
  %o = llama.fused_attention %q cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x64xf32>, memref<?x5x2x4x64x10xi8>
      -> tensor<?x64xbf16>
  return %o : tensor<?x64xbf16>
}

// -----

// Scores go where the caller wants them, whole blocks of the cache at a time; in
// layers before the last the loop has no rows.
// CHECK-LABEL: func @record_scores_of_the_last_layer
// CHECK-SAME: (%[[Q:[^ ,:)]*]]: tensor<?x64xf32>, %[[CACHE:[^ ,:)]*]]: memref<?x5x2x4x64x8xbf16>,
// CHECK-SAME: %[[LAYER:[^ ,:)]*]]: index, %[[P:[^ ,:)]*]]: tensor<?xi32>, %{{[^ ,:)]*}}: tensor<?xi32>,
// CHECK-SAME: %{{[^ ,:)]*}}: tensor<?x?xi32>, %[[LIST:[^ ,:)]*]]: tensor<?xi32>, %[[INTO:[^ ,:)]*]]: memref<?x8x?xf32>)
// CHECK: %[[LAST:.*]] = arith.cmpi eq, %[[LAYER]], %c4
// CHECK: %[[LINES:.*]] = memref.dim %[[INTO]], %c0
// CHECK: %[[COUNT:.*]] = arith.select %[[LAST]], %[[LINES]], %c0
// CHECK: scf.forall (%[[LINE:.*]], %[[G:.*]]) in (%[[COUNT]], 4)
// CHECK:   %[[T32:.*]] = tensor.extract %[[LIST]][%[[LINE]]]
// CHECK:   %[[T:.*]] = arith.index_cast %[[T32]]
// CHECK:   tensor.extract_slice %[[Q]][%[[T]], %{{.*}}] [1, 16]
// CHECK:   tensor.extract %[[P]][%[[T]]]
// CHECK:   %[[HEAD:.*]] = arith.muli %[[G]], %c2
// CHECK:   scf.for %[[N:.*]] = %c0 to
// CHECK:     memref.subview %[[CACHE]][%{{.*}}, %[[LAYER]], 0, %[[G]], 0, 0] [1, 1, 1, 1, 64, 8]
// CHECK:     %[[FIRST:.*]] = arith.muli %[[N]], %c64
// CHECK:     %[[VIEW:.*]] = memref.subview %[[INTO]][%[[LINE]], %[[HEAD]], %[[FIRST]]] [1, 2, 64]
// CHECK:     bufferization.materialize_in_destination %{{.*}} in restrict writable %[[VIEW]]
func.func @record_scores_of_the_last_layer(
    %q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>, %list: tensor<?xi32>,
    %into: memref<?x8x?xf32>) {
  llama.record_scores %q cache %cache[%layer] rows(%p, %s, %tables) of %list into %into
      : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16>, memref<?x8x?xf32>
  return
}

// -----

// CHECK-LABEL: func @swiglu_gates_up
// CHECK-SAME: (%[[X:.*]]: tensor<?x64xbf16>)
// CHECK: %[[GATE:.*]] = kernel.matmul rows(%[[X]] : {{.*}} matrix(@w1 : {{.*}} part_of "swiglu"
// CHECK: %[[UP:.*]] = kernel.matmul rows(%[[X]] : {{.*}} matrix(@w3 : {{.*}} part_of "swiglu"
// CHECK: linalg.generic {{.*}} ins(%[[GATE]], %[[UP]] : {{.*}}) outs(%{{.*}} : tensor<?x172xbf16>)
// CHECK: ^bb0(%[[G:.*]]: f32, %[[U:.*]]: f32, %{{.*}}: bf16):
// CHECK:   arith.negf %[[G]]
// CHECK:   %[[SILU:.*]] = arith.divf %[[G]],
// CHECK:   %[[H:.*]] = arith.mulf %[[SILU]], %[[U]]
// CHECK:   arith.truncf %[[H]] : f32 to bf16
llama.weight @w1 : tensor<172x64xbf16>
llama.weight @w3 : tensor<172x64xbf16>
func.func @swiglu_gates_up(%x: tensor<?x64xbf16>) -> tensor<?x172xbf16> {
  %w1 = llama.get_weight @w1 : tensor<172x64xbf16>
  %w3 = llama.get_weight @w3 : tensor<172x64xbf16>
  %h = llama.swiglu %x, %w1, %w3 : tensor<?x64xbf16>, tensor<172x64xbf16> -> tensor<?x172xbf16>
  return %h : tensor<?x172xbf16>
}

// -----

// CHECK-LABEL: func @add_rms_norm_norms_the_sum
// CHECK-SAME: (%[[X:.*]]: tensor<?x64xf32>, %[[O:.*]]: tensor<?x64xf32>, %[[W:.*]]: tensor<64xbf16>)
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[O]] : tensor<?x64xf32>) outs(%[[X]] : tensor<?x64xf32>)
// CHECK: %[[SQUARES:.*]] = linalg.generic {{.*}} ins(%[[SUM]] : tensor<?x64xf32>)
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} ins(%[[SUM]], %[[SQUARES]], %[[W]] :
// CHECK: return %[[SUM]], %[[Y]]
func.func @add_rms_norm_norms_the_sum(%x: tensor<?x64xf32>, %o: tensor<?x64xf32>, %w: tensor<64xbf16>)
    -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %s, %y = llama.add_rms_norm %x, %o, %w eps 1.0e-05 : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xf32>
  return %s, %y : tensor<?x64xf32>, tensor<?x64xf32>
}

// -----

// Rows become integers group by group, and know the sums of these; what a group lacks is
// zeros. The matrix is in panels.
// CHECK: llama.weight @q layered layout "panels16" : tensor<2x56x60x!llama.quantized<8, 64>>
// CHECK-LABEL: func @quantized_linear
// CHECK-SAME: (%[[X:.*]]: tensor<?x60xf32>, %[[LAYER:.*]]: index)
// CHECK: %[[ROWS:.*]]:3 = scf.forall {{.*}} -> (tensor<?x64xi8>, tensor<?x1xf32>, tensor<?x1xi32>)
// CHECK:   vector.insert_strided_slice {{.*}} : vector<60xf32> into vector<64xf32>
// CHECK:   vector.reduction <maxnumf>
// CHECK:   math.roundeven
// CHECK:   vector.reduction <add>, %{{.*}} : vector<64xi32> into i32
// CHECK: kernel.matmul rows(%[[ROWS]]#0 : tensor<?x64xi8>) scales(%[[ROWS]]#1 : tensor<?x1xf32>) sums(%[[ROWS]]#2
// CHECK-SAME: : tensor<?x1xi32>)
// CHECK-SAME: matrix(@q[%[[LAYER]]] : tensor<56x60x!llama.quantized<8, 64>>)
llama.weight @q layered : tensor<2x56x60x!llama.quantized<8, 64>>
func.func @quantized_linear(%x: tensor<?x60xf32>, %layer: index) -> tensor<?x56xf32> {
  %w = llama.get_weight @q[%layer] : tensor<56x60x!llama.quantized<8, 64>>
  %y = llama.linear %x, %w : tensor<?x60xf32>, tensor<56x60x!llama.quantized<8, 64>> -> tensor<?x56xf32>
  return %y : tensor<?x56xf32>
}

// -----

// Pairs within 64 elements meet in registers, others 64 at a time; in place.
// CHECK-LABEL: func @hadamard
// CHECK-SAME: (%[[X:.*]]: tensor<?x256xf32>)
// CHECK: scf.forall {{.*}} shared_outs(%{{.*}} = %[[X]])
// CHECK: scf.for {{.*}} to %c4 step
// CHECK-COUNT-6: vector.shuffle {{.*}} : vector<64xf32>, vector<64xf32>
// CHECK: scf.for {{.*}} to %c2 step
// CHECK: arith.addf {{.*}} : vector<64xf32>
// CHECK: arith.subf {{.*}} : vector<64xf32>
// CHECK: scf.for {{.*}} to %c2 step
// CHECK: arith.addf {{.*}} : vector<64xf32>
// CHECK: arith.subf {{.*}} : vector<64xf32>
// CHECK-COUNT-2: arith.mulf {{.*}} : vector<64xf32>
// CHECK-NOT: scf.for {{.*}} step
func.func @hadamard(%x: tensor<?x256xf32>) -> tensor<?x256xf32> {
  %y = llama.hadamard %x : tensor<?x256xf32>
  return %y : tensor<?x256xf32>
}

// -----

// A weight stays rotated until it is written. Nobody reads this one.
// CHECK: llama.weight @turned rotated
// CHECK-SAME: : tensor<1x8x!llama.quantized<8, 64>>
llama.weight @turned rotated : tensor<1x8x!llama.quantized<8, 64>>

// -----

// Minimums are the matrix's own: rows come as they do without.
// CHECK: llama.weight @q layout "panels16" : tensor<56x60x!llama.quantized<8, 64, minimum>>
// CHECK-LABEL: func @quantized_linear_with_minimums
// CHECK: %[[ROWS:.*]]:3 = scf.forall
// CHECK: kernel.matmul rows(%[[ROWS]]#0 : {{.*}} scales(%[[ROWS]]#1 : {{.*}} sums(%[[ROWS]]#2 : {{.*}} matrix(@q :
llama.weight @q : tensor<56x60x!llama.quantized<8, 64, minimum>>
func.func @quantized_linear_with_minimums(%x: tensor<?x60xf32>) -> tensor<?x56xf32> {
  %w = llama.get_weight @q : tensor<56x60x!llama.quantized<8, 64, minimum>>
  %y = llama.linear %x, %w : tensor<?x60xf32>, tensor<56x60x!llama.quantized<8, 64, minimum>> -> tensor<?x56xf32>
  return %y : tensor<?x56xf32>
}

// -----

// Rows become two bytes an element where the module says so.
// CHECK: module attributes {llama.row_bits = 16 : i64}
// CHECK-LABEL: func @wide_rows
// CHECK: arith.constant 3.251200e+04 : f32
// CHECK: %[[ROWS:.*]]:4 = scf.forall
// CHECK: %[[HIGH:.*]] = arith.shrsi {{.*}} : vector<64xi32>
// CHECK: %[[LOW:.*]] = arith.subi {{.*}} : vector<64xi32>
// CHECK: arith.trunci %[[HIGH]]
// CHECK: arith.trunci %[[LOW]]
// CHECK: kernel.matmul rows(%[[ROWS]]#0 : {{.*}} scales(%[[ROWS]]#1 : {{.*}} sums(%[[ROWS]]#2 : {{.*}} low(%[[ROWS]]#3
// CHECK-SAME: : tensor<?x64xi8>)
module attributes {llama.row_bits = 16 : i64} {
  llama.weight @q : tensor<56x60x!llama.quantized<8, 64>>
  func.func @wide_rows(%x: tensor<?x60xf32>) -> tensor<?x56xf32> {
    %w = llama.get_weight @q : tensor<56x60x!llama.quantized<8, 64>>
    %y = llama.linear %x, %w : tensor<?x60xf32>, tensor<56x60x!llama.quantized<8, 64>> -> tensor<?x56xf32>
    return %y : tensor<?x56xf32>
  }
}
