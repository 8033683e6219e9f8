/** What is used of WebAssembly: it is a part of Node.js, but not of its types. */
export interface WasmModule {
  readonly [Symbol.toStringTag]: string
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer
}

export interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>
}

interface Descriptor {
  readonly name: string
  readonly kind: string
}

interface Api {
  compile(bytes: Uint8Array<ArrayBuffer>): Promise<WasmModule>
  instantiate(
    module: WasmModule,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ): Promise<WasmInstance>
  readonly Module: {
    imports(module: WasmModule): readonly (Descriptor & { readonly module: string })[]
    exports(module: WasmModule): readonly Descriptor[]
  }
}

export const webAssembly: Api = (globalThis as unknown as { readonly WebAssembly: Api }).WebAssembly
