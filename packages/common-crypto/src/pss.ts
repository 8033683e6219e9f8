import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** MGF1 (RFC 8017, B.2.1), added to `target` bit by bit. */
function mask(target: Uint8Array, seed: Uint8Array, hash: string): void {
  for (let at = 0, counter = 0; at < target.length; counter++) {
    const count = Buffer.alloc(4)
    count.writeUInt32BE(counter)
    for (const byte of createHash(hash).update(seed).update(count).digest()) {
      if (at === target.length) return
      target[at++]! ^= byte
    }
  }
}

function hashOf(digest: Uint8Array, salt: Uint8Array, hash: string): Buffer {
  return createHash(hash).update(new Uint8Array(8)).update(digest).update(salt).digest()
}

/** EMSA-PSS-ENCODE (RFC 8017, 9.1.1) with a salt as long as the digest, as RFC 7518 wants it. `bits` is one less than the modulus has. */
export function encodePss(digest: Uint8Array, hash: string, bits: number): Buffer | undefined {
  const length = Math.ceil(bits / 8)
  const salt = randomBytes(digest.length)
  if (length < digest.length + salt.length + 2) return undefined
  const encoded = Buffer.alloc(length)
  const h = hashOf(digest, salt, hash)
  const db = encoded.subarray(0, length - h.length - 1)
  db[db.length - salt.length - 1] = 0x01
  db.set(salt, db.length - salt.length)
  mask(db, h, hash)
  db[0]! &= 0xff >> (8 * length - bits)
  encoded.set(h, db.length)
  encoded[length - 1] = 0xbc
  return encoded
}

/** EMSA-PSS-VERIFY (RFC 8017, 9.1.2) with a salt of any length. */
export function verifyPss(digest: Uint8Array, encoded: Uint8Array, hash: string, bits: number): boolean {
  const length = Math.ceil(bits / 8)
  if (encoded.length !== length || encoded[length - 1] !== 0xbc || length < digest.length + 2) return false
  const h = encoded.subarray(length - digest.length - 1, length - 1)
  const db = Uint8Array.from(encoded.subarray(0, length - digest.length - 1))
  const unused = 8 * length - bits
  if (db[0]! >> (8 - unused) !== 0) return false
  mask(db, h, hash)
  db[0]! &= 0xff >> unused
  const end = db.findIndex((byte) => byte !== 0)
  if (end === -1 || db[end] !== 0x01) return false
  return timingSafeEqual(hashOf(digest, db.subarray(end + 1), hash), h)
}
