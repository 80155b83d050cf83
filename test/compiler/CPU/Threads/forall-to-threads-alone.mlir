// RUN: llama-opt %s --llama-cpu-forall-to-threads --verify-diagnostics

// expected-error @+1 {{'func.func' op expected the arguments that llama-add-call-arguments adds}}
func.func @function_without_threads_is_refused(%x: memref<16xf32>) {
  %one = arith.constant 1.0 : f32
  scf.forall (%i) in (16) {
    memref.store %one, %x[%i] : memref<16xf32>
  }
  return
}
