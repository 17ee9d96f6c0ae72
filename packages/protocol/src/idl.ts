/** The text of zookeeper.jute, for what must not look for a file where it runs. A test compares the two. */
export const idl: string = `// The records that a ZooKeeper client and a server exchange. What holds them together (frames, which record goes with
// which opcode, the list of a multi) is not Jute's to say: see opcodes.ts, framing.ts and multi.ts.

module org.apache.zookeeper.data {
    class Id {
        ustring scheme;
        ustring id;
    }

    class ACL {
        /** Bits: read 1, write 2, create 4, delete 8, admin 16. */
        int perms;
        Id id;
    }

    class Stat {
        /** The zxid that created the znode. */
        long czxid;
        /** The zxid that last changed its data. */
        long mzxid;
        /** When it was created, in milliseconds since the epoch by the server's clock. */
        long ctime;
        /** When its data last changed, in milliseconds since the epoch by the server's clock. */
        long mtime;
        /** How often its data changed. */
        int version;
        /** Grows with every create and delete of a child. */
        int cversion;
        /** How often its ACL changed. */
        int aversion;
        /** The session that an ephemeral znode belongs to; 0 for others. */
        long ephemeralOwner;
        int dataLength;
        int numChildren;
        /** The zxid that last created or deleted a child. */
        long pzxid;
    }

    class ClientInfo {
        ustring authScheme;
        ustring user;
    }
}

module org.apache.zookeeper.proto {
    // The handshake. Neither has a header before it. Both end before the boolean readOnly that clients and servers from
    // 3.4 on append: older ones, and some other servers, do not, and Jute has no optional field. Whoever writes one of
    // them appends the byte; whoever reads one looks whether a byte is left.

    class ConnectRequest {
        int protocolVersion;
        long lastZxidSeen;
        /** The session timeout asked for, in milliseconds. */
        int timeOut;
        /** 0 for a new session. */
        long sessionId;
        buffer passwd;
    }

    class ConnectResponse {
        int protocolVersion;
        /** The timeout granted, in milliseconds; 0 when the session asked for is gone. */
        int timeOut;
        long sessionId;
        buffer passwd;
    }

    // Headers

    class RequestHeader {
        int xid;
        int type;
    }

    class ReplyHeader {
        int xid;
        long zxid;
        int err;
    }

    /** Before each operation of a multi and each of its results, and once more, with done, at the end. */
    class MultiHeader {
        int type;
        boolean done;
        int err;
    }

    // The result of an operation that failed in a multi, and the answer to addWatch.
    class ErrorResponse {
        int err;
    }

    // Authentication

    class AuthPacket {
        int type;
        ustring scheme;
        buffer auth;
    }

    class GetSASLRequest {
        buffer token;
    }

    class SetSASLResponse {
        buffer token;
    }

    class WhoAmIResponse {
        vector<org.apache.zookeeper.data.ClientInfo> clientInfo;
    }

    // Writes

    // Of create, create2 and createContainer.
    class CreateRequest {
        ustring path;
        buffer data;
        vector<org.apache.zookeeper.data.ACL> acl;
        int flags;
    }

    class CreateTTLRequest {
        ustring path;
        buffer data;
        vector<org.apache.zookeeper.data.ACL> acl;
        int flags;
        /** In milliseconds. */
        long ttl;
    }

    class CreateResponse {
        ustring path;
    }

    // Of create2, createContainer and createTTL.
    class Create2Response {
        ustring path;
        org.apache.zookeeper.data.Stat stat;
    }

    class DeleteRequest {
        ustring path;
        int version;
    }

    class SetDataRequest {
        ustring path;
        buffer data;
        int version;
    }

    class SetDataResponse {
        org.apache.zookeeper.data.Stat stat;
    }

    class SetACLRequest {
        ustring path;
        vector<org.apache.zookeeper.data.ACL> acl;
        /** Of the ACL (aversion), not of the data. */
        int version;
    }

    class SetACLResponse {
        org.apache.zookeeper.data.Stat stat;
    }

    // Only ever inside a multi: sent alone it ruins servers before 3.8.5 and 3.9.3 (ZOOKEEPER-2623).
    class CheckVersionRequest {
        ustring path;
        int version;
    }

    class ReconfigRequest {
        ustring joiningServers;
        ustring leavingServers;
        ustring newMembers;
        /** The zxid of the configuration to start from; -1 for any. */
        long curConfigId;
    }

    // Its answer is a GetDataResponse.

    class SyncRequest {
        ustring path;
    }

    class SyncResponse {
        ustring path;
    }

    // Reads

    class ExistsRequest {
        ustring path;
        boolean watch;
    }

    class ExistsResponse {
        org.apache.zookeeper.data.Stat stat;
    }

    class GetDataRequest {
        ustring path;
        boolean watch;
    }

    class GetDataResponse {
        buffer data;
        org.apache.zookeeper.data.Stat stat;
    }

    class GetACLRequest {
        ustring path;
    }

    class GetACLResponse {
        vector<org.apache.zookeeper.data.ACL> acl;
        org.apache.zookeeper.data.Stat stat;
    }

    class GetChildrenRequest {
        ustring path;
        boolean watch;
    }

    class GetChildrenResponse {
        vector<ustring> children;
    }

    class GetChildren2Request {
        ustring path;
        boolean watch;
    }

    class GetChildren2Response {
        vector<ustring> children;
        org.apache.zookeeper.data.Stat stat;
    }

    class GetAllChildrenNumberRequest {
        ustring path;
    }

    class GetAllChildrenNumberResponse {
        int totalNumber;
    }

    class GetEphemeralsRequest {
        ustring prefixPath;
    }

    class GetEphemeralsResponse {
        vector<ustring> ephemerals;
    }

    // Watches

    class WatcherEvent {
        int type;
        int state;
        ustring path;
    }

    class SetWatches {
        long relativeZxid;
        vector<ustring> dataWatches;
        vector<ustring> existWatches;
        vector<ustring> childWatches;
    }

    class SetWatches2 {
        long relativeZxid;
        vector<ustring> dataWatches;
        vector<ustring> existWatches;
        vector<ustring> childWatches;
        vector<ustring> persistentWatches;
        vector<ustring> persistentRecursiveWatches;
    }

    class AddWatchRequest {
        ustring path;
        /** 0 persistent, 1 persistent and recursive. */
        int mode;
    }

    class CheckWatchesRequest {
        ustring path;
        /** 1 children, 2 data, 3 any; from 3.9 also 4 persistent, 5 persistent and recursive. */
        int type;
    }

    class RemoveWatchesRequest {
        ustring path;
        /** As in CheckWatchesRequest. */
        int type;
    }
}
`;
