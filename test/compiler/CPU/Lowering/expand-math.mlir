// RUN: llama-opt %s --llama-cpu-expand-math | FileCheck %s
// RUN: llama-opt %s --llama-cpu-expand-math --convert-scf-to-cf --convert-vector-to-llvm --convert-to-llvm \
// RUN:     --reconcile-unrealized-casts -o %t.mlir
// RUN: mlir-runner %t.mlir -e wrong_angles -entry-point-result=i32 | FileCheck %s --check-prefix=NONE
// RUN: mlir-runner %t.mlir -e wrong_vector_angles -entry-point-result=i32 | FileCheck %s --check-prefix=NONE
// RUN: mlir-runner %t.mlir -e wrong_roundings -entry-point-result=i32 | FileCheck %s --check-prefix=NONE
// RUN: mlir-runner %t.mlir -e wrong_exponentials -entry-point-result=i32 | FileCheck %s --check-prefix=NONE

// What is wrong is a bit set: the number of the value. All twelve are told apart.
// RUN: mlir-runner %t.mlir -e wrong_of_wrong_angles -entry-point-result=i32 | FileCheck %s --check-prefix=ALL
// NONE: {{^0$}}
// ALL: {{^4095$}}

// CHECK-LABEL: func @sine_of_f64_is_arithmetic
// CHECK-NOT: math.sin
// CHECK: math.roundeven
// CHECK: math.fma
// CHECK-NOT: math.sin
// CHECK: return
func.func @sine_of_f64_is_arithmetic(%x: f64) -> f64 {
  %y = math.sin %x : f64
  return %y : f64
}

// CHECK-LABEL: func @cosine_of_f64_is_arithmetic
// CHECK-NOT: math.cos
// CHECK: return
func.func @cosine_of_f64_is_arithmetic(%x: f64) -> f64 {
  %y = math.cos %x : f64
  return %y : f64
}

// CHECK-LABEL: func @vectors_stay_vectors
// CHECK-NOT: math.{{sin|cos|exp}}
// CHECK-NOT: vector.extract
// CHECK: return
func.func @vectors_stay_vectors(%x: vector<4xf64>, %y: vector<16xf32>)
    -> (vector<4xf64>, vector<4xf64>, vector<16xf32>) {
  %s = math.sin %x : vector<4xf64>
  %c = math.cos %x : vector<4xf64>
  %e = math.exp %y : vector<16xf32>
  return %s, %c, %e : vector<4xf64>, vector<4xf64>, vector<16xf32>
}

// CHECK-LABEL: func @exponential_of_f32_is_arithmetic
// CHECK-NOT: math.exp
// CHECK: return
func.func @exponential_of_f32_is_arithmetic(%x: f32) -> f32 {
  %y = math.exp %x : f32
  return %y : f32
}

// Not every processor has an instruction that rounds to bf16.
// CHECK-LABEL: func @bf16_is_integer_arithmetic
// CHECK-NOT: arith.{{truncf|extf}}
// CHECK: arith.bitcast {{.*}} : vector<16xf32> to vector<16xi32>
// CHECK-NOT: arith.{{truncf|extf}}
// CHECK: return
func.func @bf16_is_integer_arithmetic(%x: f32, %y: vector<16xf32>, %z: vector<16xbf16>)
    -> (bf16, vector<16xbf16>, vector<16xf32>) {
  %a = arith.truncf %x : f32 to bf16
  %b = arith.truncf %y : vector<16xf32> to vector<16xbf16>
  %c = arith.extf %z : vector<16xbf16> to vector<16xf32>
  return %a, %b, %c : bf16, vector<16xbf16>, vector<16xf32>
}

// CHECK-LABEL: func @f16_is_left_to_the_processor
// CHECK: arith.extf %{{.*}} : f16 to f32
func.func @f16_is_left_to_the_processor(%x: f16) -> f32 {
  %y = arith.extf %x : f16 to f32
  return %y : f32
}

// CHECK-LABEL: func @other_functions_are_left_alone
// CHECK: math.sin %{{.*}} : f32
// CHECK: math.exp %{{.*}} : f64
// CHECK: math.sqrt
func.func @other_functions_are_left_alone(%x: f32, %y: f64) -> (f32, f64, f32) {
  %a = math.sin %x : f32
  %b = math.exp %y : f64
  %c = math.sqrt %x : f32
  return %a, %b, %c : f32, f64, f32
}

// The angles, and their sines and cosines rounded from 200 bits. Positions of long
// contexts, quarters of a turn, where one of both is all but zero, and the last
// angle that the reduction is meant for.
memref.global "private" constant @angles : memref<12xf64> = dense<[
  0.0, 1.0, -1.0, 2047.5, 131071.0, -131071.0, 1.5707963267948966, 0.7853981633974483,
  1.0e-08, -75611.203125, 2147483647.0, 3.141592653589793]>
memref.global "private" constant @sines : memref<12xf64> = dense<[
  0.0, 0.8414709848078965, -0.8414709848078965, -0.7300602703058374, -0.5752416837547893,
  0.5752416837547893, 1.0, 0.7071067811865475, 1.0e-08, 0.6042797513062129, -0.7249165551445564,
  1.2246467991473532e-16]>
memref.global "private" constant @cosines : memref<12xf64> = dense<[
  1.0, 0.5403023058681398, 0.5403023058681398, 0.6833827636990617, -0.8179834993879491,
  -0.8179834993879491, 6.123233995736766e-17, 0.7071067811865476, 1.0, 0.7967722272778472,
  -0.6888366918779438, -1.0]>

func.func @is_far(%got: f64, %want: f64, %tolerance: f64) -> i32 {
  %difference = arith.subf %got, %want : f64
  %distance = math.absf %difference : f64
  %near = arith.cmpf ole, %distance, %tolerance : f64 // of no number: false
  %true = arith.constant true
  %far = arith.xori %near, %true : i1
  %result = arith.extui %far : i1 to i32
  return %result : i32
}

func.func @compare_angles(%shift: f64) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c12 = arith.constant 12 : index
  %none = arith.constant 0 : i32
  %tolerance = arith.constant 1.0e-15 : f64
  %angles = memref.get_global @angles : memref<12xf64>
  %sines = memref.get_global @sines : memref<12xf64>
  %cosines = memref.get_global @cosines : memref<12xf64>
  %wrong = scf.for %i = %c0 to %c12 step %c1 iter_args(%before = %none) -> (i32) {
    %angle = memref.load %angles[%i] : memref<12xf64>
    %sin = memref.load %sines[%i] : memref<12xf64>
    %cos = memref.load %cosines[%i] : memref<12xf64>
    %x = arith.addf %angle, %shift : f64
    %s = math.sin %x : f64
    %c = math.cos %x : f64
    %a = func.call @is_far(%s, %sin, %tolerance) : (f64, f64, f64) -> i32
    %b = func.call @is_far(%c, %cos, %tolerance) : (f64, f64, f64) -> i32
    %either = arith.ori %a, %b : i32
    %place = arith.index_cast %i : index to i32
    %bit = arith.shli %either, %place : i32
    %after = arith.ori %before, %bit : i32
    scf.yield %after : i32
  }
  return %wrong : i32
}

func.func @wrong_angles() -> i32 {
  %zero = arith.constant 0.0 : f64
  %wrong = call @compare_angles(%zero) : (f64) -> i32
  return %wrong : i32
}

func.func @wrong_of_wrong_angles() -> i32 {
  %half = arith.constant 0.5 : f64
  %wrong = call @compare_angles(%half) : (f64) -> i32
  return %wrong : i32
}

// Four at a time: the same bits as one at a time.
func.func @wrong_vector_angles() -> i32 {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %c12 = arith.constant 12 : index
  %none = arith.constant 0 : i32
  %zero = arith.constant 0.0 : f64
  %angles = memref.get_global @angles : memref<12xf64>
  %wrong = scf.for %i = %c0 to %c12 step %c4 iter_args(%before = %none) -> (i32) {
    %x = vector.load %angles[%i] : memref<12xf64>, vector<4xf64>
    %s = math.sin %x : vector<4xf64>
    %c = math.cos %x : vector<4xf64>
    %c1 = arith.constant 1 : index
    %of_these = scf.for %lane = %c0 to %c4 step %c1 iter_args(%sofar = %before) -> (i32) {
      %angle = vector.extract %x[%lane] : f64 from vector<4xf64>
      %vector_sin = vector.extract %s[%lane] : f64 from vector<4xf64>
      %vector_cos = vector.extract %c[%lane] : f64 from vector<4xf64>
      %sin = math.sin %angle : f64
      %cos = math.cos %angle : f64
      %a = func.call @is_far(%vector_sin, %sin, %zero) : (f64, f64, f64) -> i32
      %b = func.call @is_far(%vector_cos, %cos, %zero) : (f64, f64, f64) -> i32
      %either = arith.ori %a, %b : i32
      %number = arith.addi %i, %lane : index
      %place = arith.index_cast %number : index to i32
      %bit = arith.shli %either, %place : i32
      %after = arith.ori %sofar, %bit : i32
      scf.yield %after : i32
    }
    scf.yield %of_these : i32
  }
  return %wrong : i32
}

// Two units in the last place: a unit is at most 2^-23 of the value.
memref.global "private" constant @exponents : memref<9xf32> = dense<[
  0.0, 1.0, -1.0, -87.0, -20.5, 0.0009765625, 10.0, 88.0, 0xFF800000]>
memref.global "private" constant @exponentials : memref<9xf64> = dense<[
  1.0, 2.718281828459045, 0.36787944117144233, 1.6458114310822737e-38, 1.2501528663867426e-09,
  1.0009770394924165, 22026.465794806718, 1.6516362549940018e+38, 0.0]>

func.func @wrong_exponentials() -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  %none = arith.constant 0 : i32
  %units = arith.constant 2.384185791015625e-07 : f64 // 2^-22
  %exponents = memref.get_global @exponents : memref<9xf32>
  %exponentials = memref.get_global @exponentials : memref<9xf64>
  %wrong = scf.for %i = %c0 to %c9 step %c1 iter_args(%before = %none) -> (i32) {
    %x = memref.load %exponents[%i] : memref<9xf32>
    %want = memref.load %exponentials[%i] : memref<9xf64>
    %y = math.exp %x : f32
    %got = arith.extf %y : f32 to f64
    %tolerance = arith.mulf %want, %units : f64
    %far = func.call @is_far(%got, %want, %tolerance) : (f64, f64, f64) -> i32
    %place = arith.index_cast %i : index to i32
    %bit = arith.shli %far, %place : i32
    %after = arith.ori %before, %bit : i32
    scf.yield %after : i32
  }
  return %wrong : i32
}

// Bits of f32, and of bf16 that they round to: to the nearest, of two as near to
// the even one. One, ties, their neighbours; the largest number, which rounds to
// infinity; zeros, infinities, subnormals. What is no number (-1) stays none, even
// if the bits that say so are cut off.
memref.global "private" constant @unrounded : memref<16xi32> = dense<[
  0x3F800000, 0x3F808000, 0x3F818000, 0x3F808001, 0x3F807FFF, 0x7F7FFFFF, 0x00000000, 0x80000000,
  0x7F800000, 0xFF800000, 0x00000001, 0x00018000, 0x80018001, 0xBF818000, 0x7FC00000, 0x7F800001]>
memref.global "private" constant @rounded : memref<16xi32> = dense<[
  0x3F80, 0x3F80, 0x3F82, 0x3F81, 0x3F80, 0x7F80, 0x0000, 0x8000,
  0x7F80, 0xFF80, 0x0000, 0x0002, 0x8002, 0xBF82, -1, -1]>

func.func @wrong_roundings() -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %none = arith.constant 0 : i32
  %no_number = arith.constant -1 : i32
  %half = arith.constant 16 : i32
  %unrounded = memref.get_global @unrounded : memref<16xi32>
  %rounded = memref.get_global @rounded : memref<16xi32>
  %wrong = scf.for %i = %c0 to %c16 step %c1 iter_args(%before = %none) -> (i32) {
    %bits = memref.load %unrounded[%i] : memref<16xi32>
    %want = memref.load %rounded[%i] : memref<16xi32>
    %x = arith.bitcast %bits : i32 to f32
    %y = arith.truncf %x : f32 to bf16
    %short = arith.bitcast %y : bf16 to i16
    %got = arith.extui %short : i16 to i32
    %z = arith.extf %y : bf16 to f32
    %wide = arith.bitcast %z : f32 to i32
    %is_none = arith.cmpf uno, %z, %z : f32
    %said = arith.select %is_none, %no_number, %got : i32
    %differs = arith.cmpi ne, %said, %want : i32
    // Widening appends zeros.
    %back = arith.shrui %wide, %half : i32
    %changes = arith.cmpi ne, %back, %got : i32
    %either = arith.ori %differs, %changes : i1
    %flag = arith.extui %either : i1 to i32
    %place = arith.index_cast %i : index to i32
    %bit = arith.shli %flag, %place : i32
    %after = arith.ori %before, %bit : i32
    scf.yield %after : i32
  }
  return %wrong : i32
}
