import { createHash, X509Certificate } from 'node:crypto'

/** What a certificate is signed with, by the OID's bytes, and the hash that RFC 5929 takes then. */
const HASHES: ReadonlyMap<string, string> = new Map([
  // With RSA: MD5 and SHA-1 give way to SHA-256.
  ['2a864886f70d010104', 'sha256'],
  ['2a864886f70d010105', 'sha256'],
  ['2a864886f70d01010b', 'sha256'],
  ['2a864886f70d01010c', 'sha384'],
  ['2a864886f70d01010d', 'sha512'],
  ['2a864886f70d01010e', 'sha224'],
  // With ECDSA.
  ['2a8648ce3d0401', 'sha256'],
  ['2a8648ce3d040301', 'sha224'],
  ['2a8648ce3d040302', 'sha256'],
  ['2a8648ce3d040303', 'sha384'],
  ['2a8648ce3d040304', 'sha512'],
])

/**
 * The hash of a certificate by which a login is bound to it: `tls-server-end-point`.
 * @param cert in PEM; of several the first, which is the server's own
 * @returns null when its signature names no single hash, such as Ed25519: nothing can be bound to it
 * @see RFC 5929, section 4
 */
export function endPointOf(cert: string): Uint8Array | null {
  const { raw } = new X509Certificate(cert)
  const hash = HASHES.get(signatureOid(raw).toString('hex'))
  return hash === undefined ? null : createHash(hash).update(raw).digest()
}

/** A certificate is a sequence of what is signed, the algorithm (a sequence that begins with its OID), and the signature. */
function signatureOid(der: Buffer): Buffer {
  const certificate = contentOf(der, 0)
  const signed = contentOf(der, certificate.from)
  const algorithm = contentOf(der, signed.to)
  const oid = contentOf(der, algorithm.from)
  return der.subarray(oid.from, oid.to)
}

/** Where the content of the DER value at `at` is. */
function contentOf(der: Buffer, at: number): { readonly from: number; readonly to: number } {
  const first = der.readUInt8(at + 1)
  // A length below 128 is in one byte; else the byte tells how many bytes the length has.
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f
  const length = lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes)
  const from = at + 2 + lengthBytes
  return { from, to: from + length }
}
