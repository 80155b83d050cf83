// RUN: llama-opt %s --llama-cpu-tile-linears="amx=true amx-panel-columns=64 amx-depth=64" --canonicalize --cse --split-input-file | FileCheck %s
// RUN: llama-opt %s --llama-cpu-tile-linears="amx-int8=true" --canonicalize --cse --split-input-file | FileCheck %s --check-prefix=INT8

// Rows of a prompt come first: packed in blocks of 32, pairs of elements side by
// side; sums of [weight rows, rows] in squares of 32; then back to rows. What
// follows are the other rows, as on any machine.
// CHECK-LABEL: func @rows_of_prompts_go_through_tiles
// CHECK-SAME: %[[X:.*]]: tensor<?x128xbf16> {llama.extent = "rows"}, %[[W:.*]]: tensor<128x128xbf16>, %[[PROMPT:.*]]: index {llama.argument = "prompt_rows"}
// CHECK: scf.for %[[FIRST:.*]] = %c0 to %[[PROMPT]] step %c256
// CHECK:   %[[PACKED:.*]] = scf.forall (%{{.*}}, %{{.*}}) in (%{{.*}}, 4) {{.*}} -> (tensor<8x64x64xbf16>)
// CHECK:     vector.transfer_read %[[X]]{{.*}} vector<32xbf16>
// CHECK:     vector.bitcast {{.*}} : vector<32xbf16> to vector<16xi32>
// CHECK-COUNT-64: vector.shuffle {{.*}} : vector<16xi32>, vector<16xi32>
// CHECK:   scf.forall (%[[COLUMN:.*]]) = (0) to (128) step (64)
// CHECK:     linalg.fill {{.*}} -> tensor<64x32xf32>
// CHECK:     scf.for %[[K:.*]] = %c0 to %c128 step %c64
// CHECK:       scf.for %{{.*}} = %c0 to %c64 step %c32
// CHECK:         scf.for
// CHECK:           tensor.extract_slice %[[W]]{{.*}} to tensor<32x64xbf16>
// CHECK:           tensor.extract_slice %[[PACKED]]{{.*}} to tensor<32x64xbf16>
// CHECK:           linalg.generic {{.*}}"reduction", "reduction"{{.*}} ins(%{{.*}} : tensor<32x32x2xbf16>, tensor<32x32x2xbf16>) outs(%{{.*}} : tensor<32x32xf32>) attrs = {llama.amx_tile}
// CHECK-COUNT-64: vector.shuffle {{.*}} : vector<16xf32>, vector<16xf32>
// CHECK: scf.for %{{.*}} = %[[PROMPT]] to %{{.*}} step %c128
// CHECK:   linalg.generic {{.*}} outs(%{{.*}} : tensor<4x4xf32>)
#rows = affine_map<(d0, d1, d2) -> (d0, d2)>
#matrix = affine_map<(d0, d1, d2) -> (d1, d2)>
#sums = affine_map<(d0, d1, d2) -> (d0, d1)>
func.func @rows_of_prompts_go_through_tiles(%x: tensor<?x128xbf16> {llama.extent = "rows"}, %w: tensor<128x128xbf16>) -> tensor<?x128xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x128xbf16>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%n) : tensor<?x128xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x128xf32>) -> tensor<?x128xf32>
  %y = linalg.generic {indexing_maps = [#rows, #matrix, #sums], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x128xbf16>, tensor<128x128xbf16>) outs(%zeros : tensor<?x128xf32>) {
  ^bb0(%a: bf16, %b: bf16, %sum: f32):
    %wideA = arith.extf %a : bf16 to f32
    %wideB = arith.extf %b : bf16 to f32
    %product = arith.mulf %wideA, %wideB : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<?x128xf32>
  return %y : tensor<?x128xf32>
}

// -----

// What reads the product element by element reads the transposed squares.
// CHECK-LABEL: func @a_residual_add_joins
// CHECK-SAME: %{{.*}}: tensor<?x64xbf16> {llama.extent = "rows"}, %{{.*}}: tensor<64x64xbf16>, %[[STREAM:.*]]: tensor<?x64xf32> {llama.extent = "rows"}
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[STREAM]])
// CHECK:   linalg.generic {{.*}} attrs = {llama.amx_tile}
// CHECK:   scf.for %[[ROW:.*]] = %c0 to %{{.*}} step %c1
// CHECK:     linalg.generic {{.*}}"parallel", "parallel"]} ins(%{{.*}} : tensor<1x32xf32>) outs(%{{.*}} : tensor<1x32xf32>)
#rows = affine_map<(d0, d1, d2) -> (d0, d2)>
#matrix = affine_map<(d0, d1, d2) -> (d1, d2)>
#sums = affine_map<(d0, d1, d2) -> (d0, d1)>
#same = affine_map<(d0, d1) -> (d0, d1)>
func.func @a_residual_add_joins(%x: tensor<?x64xbf16> {llama.extent = "rows"}, %w: tensor<64x64xbf16>, %stream: tensor<?x64xf32> {llama.extent = "rows"}) -> tensor<?x64xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x64xbf16>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%n) : tensor<?x64xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x64xf32>) -> tensor<?x64xf32>
  %y = linalg.generic {indexing_maps = [#rows, #matrix, #sums], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x64xbf16>, tensor<64x64xbf16>) outs(%zeros : tensor<?x64xf32>) {
  ^bb0(%a: bf16, %b: bf16, %sum: f32):
    %wideA = arith.extf %a : bf16 to f32
    %wideB = arith.extf %b : bf16 to f32
    %product = arith.mulf %wideA, %wideB : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<?x64xf32>
  %z = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<?x64xf32>) outs(%stream : tensor<?x64xf32>) {
  ^bb0(%a: f32, %old: f32):
    %new = arith.addf %old, %a : f32
    linalg.yield %new : f32
  } -> tensor<?x64xf32>
  return %z : tensor<?x64xf32>
}

// -----

// 48 elements of a sum are no whole number of tiles.
// CHECK-LABEL: func @odd_depth_is_left_alone
// CHECK-NOT: llama.amx_tile
// CHECK: return
#rows = affine_map<(d0, d1, d2) -> (d0, d2)>
#matrix = affine_map<(d0, d1, d2) -> (d1, d2)>
#sums = affine_map<(d0, d1, d2) -> (d0, d1)>
func.func @odd_depth_is_left_alone(%x: tensor<?x48xbf16> {llama.extent = "rows"}, %w: tensor<64x48xbf16>) -> tensor<?x64xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x48xbf16>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%n) : tensor<?x64xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x64xf32>) -> tensor<?x64xf32>
  %y = linalg.generic {indexing_maps = [#rows, #matrix, #sums], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x48xbf16>, tensor<64x48xbf16>) outs(%zeros : tensor<?x64xf32>) {
  ^bb0(%a: bf16, %b: bf16, %sum: f32):
    %wideA = arith.extf %a : bf16 to f32
    %wideB = arith.extf %b : bf16 to f32
    %product = arith.mulf %wideA, %wideB : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// -----

// Rows whose logits are wanted are rows of another kind: few, of many sequences.
// CHECK-LABEL: func @logits_are_left_alone
// CHECK-NOT: llama.amx_tile
// CHECK: return
#rows = affine_map<(d0, d1, d2) -> (d0, d2)>
#matrix = affine_map<(d0, d1, d2) -> (d1, d2)>
#sums = affine_map<(d0, d1, d2) -> (d0, d1)>
func.func @logits_are_left_alone(%x: tensor<?x64xbf16> {llama.extent = "logit_rows"}, %w: tensor<64x64xbf16>) -> tensor<?x64xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x64xbf16>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%n) : tensor<?x64xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x64xf32>) -> tensor<?x64xf32>
  %y = linalg.generic {indexing_maps = [#rows, #matrix, #sums], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x64xbf16>, tensor<64x64xbf16>) outs(%zeros : tensor<?x64xf32>) {
  ^bb0(%a: bf16, %b: bf16, %sum: f32):
    %wideA = arith.extf %a : bf16 to f32
    %wideB = arith.extf %b : bf16 to f32
    %product = arith.mulf %wideA, %wideB : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// -----

// Rows that meet a quantized matrix have the same bits on tiles and beside them: no
// rows are apart. Of 72 matrix rows the last 8 are no whole panel.
// INT8-DAG: #[[TALL:.*]] = affine_map<(d0) -> ((d0 floordiv 32) * 32)>
// INT8-DAG: #[[TILE:.*]] = affine_map<(d0) -> ((d0 floordiv 16) * 16)>
// INT8-LABEL: func @quantized
// INT8-NOT: prompt_rows
// INT8: scf.forall {{.*}} = (0) to (72) step (32)
// INT8: scf.if
// INT8: %[[END32:.*]] = affine.apply #[[TALL]](%[[ROWS:.*]])
// INT8: scf.for %{{.*}} = %c0 to %[[END32]] step %c32
// INT8: linalg.generic {{.*}} outs(%{{.*}} : tensor<32x32xf32>)
// INT8: %[[END16:.*]] = affine.apply #[[TILE]](%[[ROWS]])
// INT8: scf.for %{{.*}} = %[[END32]] to %[[END16]] step %c16
// INT8: linalg.generic {{.*}} outs(%{{.*}} : tensor<16x32xf32>)
// INT8: %[[END4:.*]] = affine.apply #{{.*}}(%[[ROWS]])
// INT8: %[[ANY:.*]] = arith.cmpi ult, %[[END16]], %[[END4]]
// INT8: scf.if %[[ANY]]
// INT8: linalg.generic {{.*}} outs(%{{.*}} : tensor<4x32xf32>)
// INT8: %[[NEXT:.*]] = affine.apply #{{.*}}(%[[ROWS]])
// INT8: scf.for %{{.*}} = %[[NEXT]] to %[[END4]] step %c4
// INT8: linalg.generic {{.*}} outs(%{{.*}} : tensor<4x32xf32>)
// INT8: scf.for %{{.*}} = %[[END4]] to %{{.*}} step %c1
// INT8: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x32xf32>)
// INT8: else
// INT8-NOT: step %c32
// INT8-NOT: step %c16
// INT8: linalg.generic {{.*}} outs(%{{.*}} : tensor<4x8xf32>)
func.func @quantized(%x: tensor<?x128xi8> {llama.extent = "logit_rows"}, %xs: tensor<?x1xf32>, %sums: tensor<?x1xi32>, %w: tensor<5x32x64xi8>, %ws: tensor<5x1x16xf16>) -> tensor<?x72xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x128xi8>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%n) : tensor<?x72xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x72xf32>) -> tensor<?x72xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(t, n, k) -> (t, k)>, affine_map<(t, n, k) -> (t, k floordiv 128)>, affine_map<(t, n, k) -> (t, k floordiv 128)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 4, (n mod 16) * 4 + k mod 4)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 128, n mod 16)>,
                       affine_map<(t, n, k) -> (t, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %xs, %sums, %w, %ws : tensor<?x128xi8>, tensor<?x1xf32>, tensor<?x1xi32>, tensor<5x32x64xi8>, tensor<5x1x16xf16>)
      outs(%init : tensor<?x72xf32>) attrs = {llama.quantized = !llama.quantized<8, 128>} {
  ^bb0(%a: i8, %b: f32, %c: i32, %d: i8, %e: f16, %sum: f32):
    linalg.yield %sum : f32
  } -> tensor<?x72xf32>
  return %y : tensor<?x72xf32>
}
