/** What a certificate authority is made of. It loads a library for certificates: only who signs imports this. */
export { issueCertificate, type WorkloadOptions } from './authority/issue.ts'
export { createAuthority, type AuthorityFiles, type NewAuthorityOptions } from './authority/create.ts'
export { readAuthority, type Authority } from './authority/read.ts'
export { readCertificateRequest } from './authority/request.ts'
