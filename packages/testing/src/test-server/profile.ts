import { OpCode } from '@zookit/protocol';

/** How one server differs from another, as far as a client can tell. */
export interface ServerProfile {
  /** As `srvr` says it. */
  readonly version: string;
  /** Request types that the server knows. */
  readonly opcodes: ReadonlySet<number>;
  /** What may be in a multi. */
  readonly multiOpcodes: ReadonlySet<number>;
  /** What an unknown request type gets: -6 and then the end of the connection, or the end of the session without a word. */
  readonly unknownOpcode: 'unimplemented' | 'end-session';
  /** Whether a session lives on without its connection, and can be resumed. */
  readonly sessionOutlivesConnection: boolean;
  /** Whether closeSession gets a reply before the connection ends. */
  readonly answersClose: boolean;
  /** Whether the header of a notification carries the zxid of its transaction (ZOOKEEPER-4655). */
  readonly eventZxid: boolean;
  /** Whether a connection has one watch mode on a path, whichever came last (ZOOKEEPER-4466). */
  readonly oneWatchMode: boolean;
  /** Whether checkWatches takes anybody's watch on the path for the caller's. */
  readonly checkWatchesOfAnybody: boolean;
  /** The highest watcher type that checkWatches and removeWatches know. */
  readonly lastWatcherType: number;
  /** Whether watch events and exists need READ on the node (CVE-2024-23944). */
  readonly eventsNeedRead: boolean;
  /** Whether create2 in a multi is answered as create2, and not as create (ZOOKEEPER-4026). */
  readonly create2InMulti: boolean;
  /** Whether a null ACL is one that cannot be read, and not one that is refused. */
  readonly nullAclIsMalformed: boolean;
  /** Whether delete looks for the node before it asks whether the caller may delete there. */
  readonly deleteLooksFirst: boolean;
  /** Whether the sequence goes on below zero after 2147483647, or stays there. */
  readonly sequenceWraps: boolean;
}

export type ProfileName = '3.4' | '3.5' | '3.6' | '3.7' | '3.8' | '3.9' | 'clickhouse-keeper';

const opcodes34 = [
  OpCode.create,
  OpCode.delete,
  OpCode.exists,
  OpCode.getData,
  OpCode.setData,
  OpCode.getACL,
  OpCode.setACL,
  OpCode.getChildren,
  OpCode.sync,
  OpCode.ping,
  OpCode.getChildren2,
  OpCode.multi,
  OpCode.auth,
  OpCode.setWatches,
  OpCode.sasl,
  OpCode.closeSession,
];
const opcodes35 = [
  ...opcodes34,
  OpCode.create2,
  OpCode.reconfig,
  OpCode.checkWatches,
  OpCode.removeWatches,
  OpCode.createContainer,
  OpCode.deleteContainer,
  OpCode.createTTL,
];
const opcodes36 = [
  ...opcodes35,
  OpCode.multiRead,
  OpCode.getEphemerals,
  OpCode.getAllChildrenNumber,
  OpCode.setWatches2,
  OpCode.addWatch,
];
const opcodes37 = [...opcodes36, OpCode.whoAmI];
const multi34 = [OpCode.create, OpCode.delete, OpCode.setData, OpCode.check];
const multi35 = [...multi34, OpCode.create2, OpCode.createContainer, OpCode.createTTL];

const v34: ServerProfile = {
  version: '3.4.14',
  opcodes: new Set(opcodes34),
  multiOpcodes: new Set(multi34),
  unknownOpcode: 'unimplemented',
  sessionOutlivesConnection: true,
  answersClose: true,
  eventZxid: false,
  oneWatchMode: true,
  checkWatchesOfAnybody: false,
  lastWatcherType: 3,
  eventsNeedRead: false,
  create2InMulti: false,
  nullAclIsMalformed: true,
  deleteLooksFirst: true,
  sequenceWraps: true,
};
const v35: ServerProfile = {
  ...v34,
  version: '3.5.10',
  opcodes: new Set(opcodes35),
  multiOpcodes: new Set(multi35),
};
const v36: ServerProfile = {
  ...v35,
  version: '3.6.4',
  opcodes: new Set(opcodes36),
  checkWatchesOfAnybody: true,
  nullAclIsMalformed: false,
  deleteLooksFirst: false,
  sequenceWraps: false,
};
const v37: ServerProfile = { ...v36, version: '3.7.2', opcodes: new Set(opcodes37), create2InMulti: true };
const v38: ServerProfile = { ...v37, version: '3.8.6', eventsNeedRead: true };
const v39: ServerProfile = {
  ...v38,
  version: '3.9.5',
  eventZxid: true,
  oneWatchMode: false,
  checkWatchesOfAnybody: false,
  lastWatcherType: 5,
};
const clickhouse: ServerProfile = {
  ...v39,
  version: 'v26.9-testing',
  opcodes: new Set([
    ...opcodes34.filter((opcode) => opcode !== OpCode.sasl),
    OpCode.create2,
    OpCode.checkWatches,
    OpCode.removeWatches,
    OpCode.multiRead,
    OpCode.setWatches2,
    OpCode.addWatch,
  ]),
  multiOpcodes: new Set(multi34),
  unknownOpcode: 'end-session',
  sessionOutlivesConnection: false,
  answersClose: false,
};

export const profiles: Readonly<Record<ProfileName, ServerProfile>> = {
  '3.4': v34,
  '3.5': v35,
  '3.6': v36,
  '3.7': v37,
  '3.8': v38,
  '3.9': v39,
  'clickhouse-keeper': clickhouse,
};

/** @throws TypeError for a name that no profile has */
export function profileOf(profile: ProfileName | ServerProfile): ServerProfile {
  if (typeof profile === 'object' && profile !== null) return profile;
  if (Object.hasOwn(profiles, profile)) return profiles[profile];
  throw new TypeError(`no profile '${profile}': there are ${Object.keys(profiles).join(', ')}, or give an object`);
}
