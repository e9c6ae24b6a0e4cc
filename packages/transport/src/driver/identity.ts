import { ClusterError, type NodeId, nodeId } from '@cluster/core'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'

/** Makes an Ed25519 key pair. `privateKey` is what `libp2pTransport` takes; keep it secret, and keep it. */
export async function newIdentity(): Promise<{ readonly privateKey: Uint8Array; readonly id: NodeId }> {
  const key = await generateKeyPair('Ed25519')
  return { privateKey: privateKeyToProtobuf(key), id: nodeId(peerIdFromPrivateKey(key).toString()) }
}

/** The node id that belongs to a private key. @throws IDENTITY_DAMAGED when the bytes are no key */
export function identityOf(privateKey: Uint8Array): NodeId {
  return nodeId(peerIdFromPrivateKey(readIdentity(privateKey)).toString())
}

/** @throws IDENTITY_DAMAGED */
export function readIdentity(privateKey: Uint8Array): PrivateKey {
  try {
    return privateKeyFromProtobuf(privateKey)
  } catch (cause) {
    throw new ClusterError(
      { code: 'IDENTITY_DAMAGED', outcome: 'rejected' },
      'The identity of this node cannot be read; put back its file from a copy, or start with an empty data folder.',
      { cause },
    )
  }
}
