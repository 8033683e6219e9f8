/** JSON from a process under test: what is in it is what the tests are about. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any
