// Made by proto/generate.js from transport_protocol.proto. Do not edit.
import * as $protobuf from "protobufjs/minimal.js";

/** Namespace transport_protocol. */
export namespace transport_protocol {

    /**
     * Properties of a StartMsg.
     * @deprecated Use transport_protocol.StartMsg.$Properties instead.
     */
    interface IStartMsg extends transport_protocol.StartMsg.$Properties {
    }

    /** Represents a StartMsg. */
    class StartMsg {

        /**
         * Constructs a new StartMsg.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.StartMsg.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** StartMsg protocol. */
        protocol: string;

        /** StartMsg firmware_version. */
        firmware_version: string;

        /**
         * Encodes the specified StartMsg message. Does not implicitly {@link transport_protocol.StartMsg.verify|verify} messages.
         * @param message StartMsg message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.StartMsg.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a StartMsg message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.StartMsg & transport_protocol.StartMsg.$Shape} StartMsg
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.StartMsg & transport_protocol.StartMsg.$Shape;
    }

    namespace StartMsg {

        /** Properties of a StartMsg. */
        interface $Properties {

            /** StartMsg protocol */
            protocol?: (string|null);

            /** StartMsg firmware_version */
            firmware_version?: (string|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a StartMsg. */
        type $Shape = transport_protocol.StartMsg.$Properties;
    }

    /**
     * Properties of a Program.
     * @deprecated Use transport_protocol.Program.$Properties instead.
     */
    interface IProgram extends transport_protocol.Program.$Properties {
    }

    /** Represents a Program. */
    class Program {

        /**
         * Constructs a new Program.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.Program.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Program file_name. */
        file_name: string;

        /** Program code. */
        code: Uint8Array;

        /**
         * Encodes the specified Program message. Does not implicitly {@link transport_protocol.Program.verify|verify} messages.
         * @param message Program message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.Program.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Program message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.Program & transport_protocol.Program.$Shape} Program
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.Program & transport_protocol.Program.$Shape;
    }

    namespace Program {

        /** Properties of a Program. */
        interface $Properties {

            /** Program file_name */
            file_name?: (string|null);

            /** Program code */
            code?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Program. */
        type $Shape = transport_protocol.Program.$Properties;
    }

    /**
     * Properties of a Data.
     * @deprecated Use transport_protocol.Data.$Properties instead.
     */
    interface IData extends transport_protocol.Data.$Properties {
    }

    /** Represents a Data. */
    class Data {

        /**
         * Constructs a new Data.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.Data.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Data file_name. */
        file_name: string;

        /** Data data. */
        data: Uint8Array;

        /**
         * Encodes the specified Data message. Does not implicitly {@link transport_protocol.Data.verify|verify} messages.
         * @param message Data message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.Data.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Data message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.Data & transport_protocol.Data.$Shape} Data
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.Data & transport_protocol.Data.$Shape;
    }

    namespace Data {

        /** Properties of a Data. */
        interface $Properties {

            /** Data file_name */
            file_name?: (string|null);

            /** Data data */
            data?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Data. */
        type $Shape = transport_protocol.Data.$Properties;
    }

    /**
     * Properties of a Read.
     * @deprecated Use transport_protocol.Read.$Properties instead.
     */
    interface IRead extends transport_protocol.Read.$Properties {
    }

    /** Represents a Read. */
    class Read {

        /**
         * Constructs a new Read.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.Read.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Read file_name. */
        file_name: string;

        /**
         * Encodes the specified Read message. Does not implicitly {@link transport_protocol.Read.verify|verify} messages.
         * @param message Read message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.Read.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Read message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.Read & transport_protocol.Read.$Shape} Read
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.Read & transport_protocol.Read.$Shape;
    }

    namespace Read {

        /** Properties of a Read. */
        interface $Properties {

            /** Read file_name */
            file_name?: (string|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Read. */
        type $Shape = transport_protocol.Read.$Properties;
    }

    /**
     * Properties of a RequestResult.
     * @deprecated Use transport_protocol.RequestResult.$Properties instead.
     */
    interface IRequestResult extends transport_protocol.RequestResult.$Properties {
    }

    /** Represents a RequestResult. */
    class RequestResult {

        /**
         * Constructs a new RequestResult.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.RequestResult.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** RequestResult file_name. */
        file_name: string;

        /**
         * Encodes the specified RequestResult message. Does not implicitly {@link transport_protocol.RequestResult.verify|verify} messages.
         * @param message RequestResult message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.RequestResult.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a RequestResult message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.RequestResult & transport_protocol.RequestResult.$Shape} RequestResult
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.RequestResult & transport_protocol.RequestResult.$Shape;
    }

    namespace RequestResult {

        /** Properties of a RequestResult. */
        interface $Properties {

            /** RequestResult file_name */
            file_name?: (string|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a RequestResult. */
        type $Shape = transport_protocol.RequestResult.$Properties;
    }

    /**
     * Properties of a RequestPiHash.
     * @deprecated Use transport_protocol.RequestPiHash.$Properties instead.
     */
    interface IRequestPiHash extends transport_protocol.RequestPiHash.$Properties {
    }

    /** Represents a RequestPiHash. */
    class RequestPiHash {

        /**
         * Constructs a new RequestPiHash.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.RequestPiHash.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** RequestPiHash file_name. */
        file_name: string;

        /**
         * Encodes the specified RequestPiHash message. Does not implicitly {@link transport_protocol.RequestPiHash.verify|verify} messages.
         * @param message RequestPiHash message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.RequestPiHash.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a RequestPiHash message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.RequestPiHash & transport_protocol.RequestPiHash.$Shape} RequestPiHash
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.RequestPiHash & transport_protocol.RequestPiHash.$Shape;
    }

    namespace RequestPiHash {

        /** Properties of a RequestPiHash. */
        interface $Properties {

            /** RequestPiHash file_name */
            file_name?: (string|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a RequestPiHash. */
        type $Shape = transport_protocol.RequestPiHash.$Properties;
    }

    /**
     * Properties of a NitroAttestationDoc.
     * @deprecated Use transport_protocol.NitroAttestationDoc.$Properties instead.
     */
    interface INitroAttestationDoc extends transport_protocol.NitroAttestationDoc.$Properties {
    }

    /** Represents a NitroAttestationDoc. */
    class NitroAttestationDoc {

        /**
         * Constructs a new NitroAttestationDoc.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.NitroAttestationDoc.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** NitroAttestationDoc doc. */
        doc: Uint8Array;

        /** NitroAttestationDoc device_id. */
        device_id: number;

        /**
         * Encodes the specified NitroAttestationDoc message. Does not implicitly {@link transport_protocol.NitroAttestationDoc.verify|verify} messages.
         * @param message NitroAttestationDoc message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.NitroAttestationDoc.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a NitroAttestationDoc message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.NitroAttestationDoc & transport_protocol.NitroAttestationDoc.$Shape} NitroAttestationDoc
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.NitroAttestationDoc & transport_protocol.NitroAttestationDoc.$Shape;
    }

    namespace NitroAttestationDoc {

        /** Properties of a NitroAttestationDoc. */
        interface $Properties {

            /** NitroAttestationDoc doc */
            doc?: (Uint8Array|null);

            /** NitroAttestationDoc device_id */
            device_id?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a NitroAttestationDoc. */
        type $Shape = transport_protocol.NitroAttestationDoc.$Properties;
    }

    /**
     * Properties of a PsaAttestationInit.
     * @deprecated Use transport_protocol.PsaAttestationInit.$Properties instead.
     */
    interface IPsaAttestationInit extends transport_protocol.PsaAttestationInit.$Properties {
    }

    /** Represents a PsaAttestationInit. */
    class PsaAttestationInit {

        /**
         * Constructs a new PsaAttestationInit.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.PsaAttestationInit.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** PsaAttestationInit challenge. */
        challenge: Uint8Array;

        /** PsaAttestationInit device_id. */
        device_id: number;

        /**
         * Encodes the specified PsaAttestationInit message. Does not implicitly {@link transport_protocol.PsaAttestationInit.verify|verify} messages.
         * @param message PsaAttestationInit message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.PsaAttestationInit.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a PsaAttestationInit message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.PsaAttestationInit & transport_protocol.PsaAttestationInit.$Shape} PsaAttestationInit
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.PsaAttestationInit & transport_protocol.PsaAttestationInit.$Shape;
    }

    namespace PsaAttestationInit {

        /** Properties of a PsaAttestationInit. */
        interface $Properties {

            /** PsaAttestationInit challenge */
            challenge?: (Uint8Array|null);

            /** PsaAttestationInit device_id */
            device_id?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a PsaAttestationInit. */
        type $Shape = transport_protocol.PsaAttestationInit.$Properties;
    }

    /**
     * Properties of a Result.
     * @deprecated Use transport_protocol.Result.$Properties instead.
     */
    interface IResult extends transport_protocol.Result.$Properties {
    }

    /** Represents a Result. */
    class Result {

        /**
         * Constructs a new Result.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.Result.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Result data. */
        data: Uint8Array;

        /**
         * Encodes the specified Result message. Does not implicitly {@link transport_protocol.Result.verify|verify} messages.
         * @param message Result message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.Result.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Result message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.Result & transport_protocol.Result.$Shape} Result
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.Result & transport_protocol.Result.$Shape;
    }

    namespace Result {

        /** Properties of a Result. */
        interface $Properties {

            /** Result data */
            data?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Result. */
        type $Shape = transport_protocol.Result.$Properties;
    }

    /**
     * Properties of a PiHash.
     * @deprecated Use transport_protocol.PiHash.$Properties instead.
     */
    interface IPiHash extends transport_protocol.PiHash.$Properties {
    }

    /** Represents a PiHash. */
    class PiHash {

        /**
         * Constructs a new PiHash.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.PiHash.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** PiHash data. */
        data: Uint8Array;

        /**
         * Encodes the specified PiHash message. Does not implicitly {@link transport_protocol.PiHash.verify|verify} messages.
         * @param message PiHash message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.PiHash.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a PiHash message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.PiHash & transport_protocol.PiHash.$Shape} PiHash
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.PiHash & transport_protocol.PiHash.$Shape;
    }

    namespace PiHash {

        /** Properties of a PiHash. */
        interface $Properties {

            /** PiHash data */
            data?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a PiHash. */
        type $Shape = transport_protocol.PiHash.$Properties;
    }

    /**
     * Properties of a PolicyHash.
     * @deprecated Use transport_protocol.PolicyHash.$Properties instead.
     */
    interface IPolicyHash extends transport_protocol.PolicyHash.$Properties {
    }

    /** Represents a PolicyHash. */
    class PolicyHash {

        /**
         * Constructs a new PolicyHash.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.PolicyHash.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** PolicyHash data. */
        data: Uint8Array;

        /**
         * Encodes the specified PolicyHash message. Does not implicitly {@link transport_protocol.PolicyHash.verify|verify} messages.
         * @param message PolicyHash message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.PolicyHash.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a PolicyHash message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.PolicyHash & transport_protocol.PolicyHash.$Shape} PolicyHash
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.PolicyHash & transport_protocol.PolicyHash.$Shape;
    }

    namespace PolicyHash {

        /** Properties of a PolicyHash. */
        interface $Properties {

            /** PolicyHash data */
            data?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a PolicyHash. */
        type $Shape = transport_protocol.PolicyHash.$Properties;
    }

    /**
     * Properties of a Cert.
     * @deprecated Use transport_protocol.Cert.$Properties instead.
     */
    interface ICert extends transport_protocol.Cert.$Properties {
    }

    /** Represents a Cert. */
    class Cert {

        /**
         * Constructs a new Cert.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.Cert.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Cert data. */
        data: Uint8Array;

        /**
         * Encodes the specified Cert message. Does not implicitly {@link transport_protocol.Cert.verify|verify} messages.
         * @param message Cert message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.Cert.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Cert message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.Cert & transport_protocol.Cert.$Shape} Cert
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.Cert & transport_protocol.Cert.$Shape;
    }

    namespace Cert {

        /** Properties of a Cert. */
        interface $Properties {

            /** Cert data */
            data?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Cert. */
        type $Shape = transport_protocol.Cert.$Properties;
    }

    /**
     * Properties of an ErrorCode.
     * @deprecated Use transport_protocol.ErrorCode.$Properties instead.
     */
    interface IErrorCode extends transport_protocol.ErrorCode.$Properties {
    }

    /** Represents an ErrorCode. */
    class ErrorCode {

        /**
         * Constructs a new ErrorCode.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.ErrorCode.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** ErrorCode error. */
        error: Uint8Array;

        /**
         * Encodes the specified ErrorCode message. Does not implicitly {@link transport_protocol.ErrorCode.verify|verify} messages.
         * @param message ErrorCode message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.ErrorCode.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an ErrorCode message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.ErrorCode & transport_protocol.ErrorCode.$Shape} ErrorCode
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.ErrorCode & transport_protocol.ErrorCode.$Shape;
    }

    namespace ErrorCode {

        /** Properties of an ErrorCode. */
        interface $Properties {

            /** ErrorCode error */
            error?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an ErrorCode. */
        type $Shape = transport_protocol.ErrorCode.$Properties;
    }

    /**
     * Properties of a State.
     * @deprecated Use transport_protocol.State.$Properties instead.
     */
    interface IState extends transport_protocol.State.$Properties {
    }

    /** Represents a State. */
    class State {

        /**
         * Constructs a new State.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.State.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** State state. */
        state: Uint8Array;

        /**
         * Encodes the specified State message. Does not implicitly {@link transport_protocol.State.verify|verify} messages.
         * @param message State message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.State.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a State message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.State & transport_protocol.State.$Shape} State
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.State & transport_protocol.State.$Shape;
    }

    namespace State {

        /** Properties of a State. */
        interface $Properties {

            /** State state */
            state?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a State. */
        type $Shape = transport_protocol.State.$Properties;
    }

    /**
     * Properties of a RequestProxyPsaAttestationToken.
     * @deprecated Use transport_protocol.RequestProxyPsaAttestationToken.$Properties instead.
     */
    interface IRequestProxyPsaAttestationToken extends transport_protocol.RequestProxyPsaAttestationToken.$Properties {
    }

    /** Represents a RequestProxyPsaAttestationToken. */
    class RequestProxyPsaAttestationToken {

        /**
         * Constructs a new RequestProxyPsaAttestationToken.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.RequestProxyPsaAttestationToken.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** RequestProxyPsaAttestationToken challenge. */
        challenge: Uint8Array;

        /**
         * Encodes the specified RequestProxyPsaAttestationToken message. Does not implicitly {@link transport_protocol.RequestProxyPsaAttestationToken.verify|verify} messages.
         * @param message RequestProxyPsaAttestationToken message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.RequestProxyPsaAttestationToken.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a RequestProxyPsaAttestationToken message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.RequestProxyPsaAttestationToken & transport_protocol.RequestProxyPsaAttestationToken.$Shape} RequestProxyPsaAttestationToken
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.RequestProxyPsaAttestationToken & transport_protocol.RequestProxyPsaAttestationToken.$Shape;
    }

    namespace RequestProxyPsaAttestationToken {

        /** Properties of a RequestProxyPsaAttestationToken. */
        interface $Properties {

            /** RequestProxyPsaAttestationToken challenge */
            challenge?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a RequestProxyPsaAttestationToken. */
        type $Shape = transport_protocol.RequestProxyPsaAttestationToken.$Properties;
    }

    /**
     * Properties of a RequestCertificate.
     * @deprecated Use transport_protocol.RequestCertificate.$Properties instead.
     */
    interface IRequestCertificate extends transport_protocol.RequestCertificate.$Properties {
    }

    /** Represents a RequestCertificate. */
    class RequestCertificate {

        /**
         * Constructs a new RequestCertificate.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.RequestCertificate.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /**
         * Encodes the specified RequestCertificate message. Does not implicitly {@link transport_protocol.RequestCertificate.verify|verify} messages.
         * @param message RequestCertificate message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.RequestCertificate.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a RequestCertificate message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.RequestCertificate & transport_protocol.RequestCertificate.$Shape} RequestCertificate
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.RequestCertificate & transport_protocol.RequestCertificate.$Shape;
    }

    namespace RequestCertificate {

        /** Properties of a RequestCertificate. */
        interface $Properties {

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a RequestCertificate. */
        type $Shape = transport_protocol.RequestCertificate.$Properties;
    }

    /**
     * Properties of a RequestNextRound.
     * @deprecated Use transport_protocol.RequestNextRound.$Properties instead.
     */
    interface IRequestNextRound extends transport_protocol.RequestNextRound.$Properties {
    }

    /** Represents a RequestNextRound. */
    class RequestNextRound {

        /**
         * Constructs a new RequestNextRound.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.RequestNextRound.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /**
         * Encodes the specified RequestNextRound message. Does not implicitly {@link transport_protocol.RequestNextRound.verify|verify} messages.
         * @param message RequestNextRound message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.RequestNextRound.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a RequestNextRound message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.RequestNextRound & transport_protocol.RequestNextRound.$Shape} RequestNextRound
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.RequestNextRound & transport_protocol.RequestNextRound.$Shape;
    }

    namespace RequestNextRound {

        /** Properties of a RequestNextRound. */
        interface $Properties {

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a RequestNextRound. */
        type $Shape = transport_protocol.RequestNextRound.$Properties;
    }

    /**
     * Properties of a RequestState.
     * @deprecated Use transport_protocol.RequestState.$Properties instead.
     */
    interface IRequestState extends transport_protocol.RequestState.$Properties {
    }

    /** Represents a RequestState. */
    class RequestState {

        /**
         * Constructs a new RequestState.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.RequestState.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /**
         * Encodes the specified RequestState message. Does not implicitly {@link transport_protocol.RequestState.verify|verify} messages.
         * @param message RequestState message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.RequestState.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a RequestState message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.RequestState & transport_protocol.RequestState.$Shape} RequestState
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.RequestState & transport_protocol.RequestState.$Shape;
    }

    namespace RequestState {

        /** Properties of a RequestState. */
        interface $Properties {

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a RequestState. */
        type $Shape = transport_protocol.RequestState.$Properties;
    }

    /**
     * Properties of a RequestShutdown.
     * @deprecated Use transport_protocol.RequestShutdown.$Properties instead.
     */
    interface IRequestShutdown extends transport_protocol.RequestShutdown.$Properties {
    }

    /** Represents a RequestShutdown. */
    class RequestShutdown {

        /**
         * Constructs a new RequestShutdown.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.RequestShutdown.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /**
         * Encodes the specified RequestShutdown message. Does not implicitly {@link transport_protocol.RequestShutdown.verify|verify} messages.
         * @param message RequestShutdown message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.RequestShutdown.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a RequestShutdown message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.RequestShutdown & transport_protocol.RequestShutdown.$Shape} RequestShutdown
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.RequestShutdown & transport_protocol.RequestShutdown.$Shape;
    }

    namespace RequestShutdown {

        /** Properties of a RequestShutdown. */
        interface $Properties {

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a RequestShutdown. */
        type $Shape = transport_protocol.RequestShutdown.$Properties;
    }

    /**
     * Properties of a RequestPolicyHash.
     * @deprecated Use transport_protocol.RequestPolicyHash.$Properties instead.
     */
    interface IRequestPolicyHash extends transport_protocol.RequestPolicyHash.$Properties {
    }

    /** Represents a RequestPolicyHash. */
    class RequestPolicyHash {

        /**
         * Constructs a new RequestPolicyHash.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.RequestPolicyHash.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /**
         * Encodes the specified RequestPolicyHash message. Does not implicitly {@link transport_protocol.RequestPolicyHash.verify|verify} messages.
         * @param message RequestPolicyHash message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.RequestPolicyHash.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a RequestPolicyHash message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.RequestPolicyHash & transport_protocol.RequestPolicyHash.$Shape} RequestPolicyHash
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.RequestPolicyHash & transport_protocol.RequestPolicyHash.$Shape;
    }

    namespace RequestPolicyHash {

        /** Properties of a RequestPolicyHash. */
        interface $Properties {

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a RequestPolicyHash. */
        type $Shape = transport_protocol.RequestPolicyHash.$Properties;
    }

    /**
     * Properties of a NativePsaAttestationToken.
     * @deprecated Use transport_protocol.NativePsaAttestationToken.$Properties instead.
     */
    interface INativePsaAttestationToken extends transport_protocol.NativePsaAttestationToken.$Properties {
    }

    /** Represents a NativePsaAttestationToken. */
    class NativePsaAttestationToken {

        /**
         * Constructs a new NativePsaAttestationToken.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.NativePsaAttestationToken.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** NativePsaAttestationToken token. */
        token: Uint8Array;

        /** NativePsaAttestationToken device_id. */
        device_id: number;

        /** NativePsaAttestationToken csr. */
        csr: Uint8Array;

        /**
         * Encodes the specified NativePsaAttestationToken message. Does not implicitly {@link transport_protocol.NativePsaAttestationToken.verify|verify} messages.
         * @param message NativePsaAttestationToken message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.NativePsaAttestationToken.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a NativePsaAttestationToken message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.NativePsaAttestationToken & transport_protocol.NativePsaAttestationToken.$Shape} NativePsaAttestationToken
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.NativePsaAttestationToken & transport_protocol.NativePsaAttestationToken.$Shape;
    }

    namespace NativePsaAttestationToken {

        /** Properties of a NativePsaAttestationToken. */
        interface $Properties {

            /** NativePsaAttestationToken token */
            token?: (Uint8Array|null);

            /** NativePsaAttestationToken device_id */
            device_id?: (number|null);

            /** NativePsaAttestationToken csr */
            csr?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a NativePsaAttestationToken. */
        type $Shape = transport_protocol.NativePsaAttestationToken.$Properties;
    }

    /**
     * Properties of a ProxyPsaAttestationToken.
     * @deprecated Use transport_protocol.ProxyPsaAttestationToken.$Properties instead.
     */
    interface IProxyPsaAttestationToken extends transport_protocol.ProxyPsaAttestationToken.$Properties {
    }

    /** Represents a ProxyPsaAttestationToken. */
    class ProxyPsaAttestationToken {

        /**
         * Constructs a new ProxyPsaAttestationToken.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.ProxyPsaAttestationToken.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** ProxyPsaAttestationToken token. */
        token: Uint8Array;

        /** ProxyPsaAttestationToken pubkey. */
        pubkey: Uint8Array;

        /** ProxyPsaAttestationToken device_id. */
        device_id: number;

        /**
         * Encodes the specified ProxyPsaAttestationToken message. Does not implicitly {@link transport_protocol.ProxyPsaAttestationToken.verify|verify} messages.
         * @param message ProxyPsaAttestationToken message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.ProxyPsaAttestationToken.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a ProxyPsaAttestationToken message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.ProxyPsaAttestationToken & transport_protocol.ProxyPsaAttestationToken.$Shape} ProxyPsaAttestationToken
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.ProxyPsaAttestationToken & transport_protocol.ProxyPsaAttestationToken.$Shape;
    }

    namespace ProxyPsaAttestationToken {

        /** Properties of a ProxyPsaAttestationToken. */
        interface $Properties {

            /** ProxyPsaAttestationToken token */
            token?: (Uint8Array|null);

            /** ProxyPsaAttestationToken pubkey */
            pubkey?: (Uint8Array|null);

            /** ProxyPsaAttestationToken device_id */
            device_id?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a ProxyPsaAttestationToken. */
        type $Shape = transport_protocol.ProxyPsaAttestationToken.$Properties;
    }

    /**
     * Properties of a CertChain.
     * @deprecated Use transport_protocol.CertChain.$Properties instead.
     */
    interface ICertChain extends transport_protocol.CertChain.$Properties {
    }

    /** Represents a CertChain. */
    class CertChain {

        /**
         * Constructs a new CertChain.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.CertChain.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** CertChain root_cert. */
        root_cert: Uint8Array;

        /** CertChain enclave_cert. */
        enclave_cert: Uint8Array;

        /**
         * Encodes the specified CertChain message. Does not implicitly {@link transport_protocol.CertChain.verify|verify} messages.
         * @param message CertChain message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.CertChain.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a CertChain message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.CertChain & transport_protocol.CertChain.$Shape} CertChain
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.CertChain & transport_protocol.CertChain.$Shape;
    }

    namespace CertChain {

        /** Properties of a CertChain. */
        interface $Properties {

            /** CertChain root_cert */
            root_cert?: (Uint8Array|null);

            /** CertChain enclave_cert */
            enclave_cert?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a CertChain. */
        type $Shape = transport_protocol.CertChain.$Properties;
    }

    /** ResponseStatus enum. */
    enum ResponseStatus {

        /** UNSET value */
        UNSET = 0,

        /** SUCCESS value */
        SUCCESS = 1,

        /** FAILED_INVALID_ROLE value */
        FAILED_INVALID_ROLE = 2,

        /** FAILED_NOT_READY value */
        FAILED_NOT_READY = 3,

        /** FAILED_GENERIC value */
        FAILED_GENERIC = 4,

        /** FAILED_VM_ERROR value */
        FAILED_VM_ERROR = 5,

        /** FAILED_ERROR_CODE_RETURNED value */
        FAILED_ERROR_CODE_RETURNED = 6,

        /** FAILED_INVALID_REQUEST value */
        FAILED_INVALID_REQUEST = 7
    }

    /**
     * Properties of a ProxyAttestationServerRequest.
     * @deprecated Use transport_protocol.ProxyAttestationServerRequest.$Properties instead.
     */
    interface IProxyAttestationServerRequest extends transport_protocol.ProxyAttestationServerRequest.$Properties {
    }

    /** Represents a ProxyAttestationServerRequest. */
    class ProxyAttestationServerRequest {

        /**
         * Constructs a new ProxyAttestationServerRequest.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.ProxyAttestationServerRequest.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** ProxyAttestationServerRequest context. */
        context: number;

        /** ProxyAttestationServerRequest start_msg. */
        start_msg?: (transport_protocol.StartMsg.$Properties|null);

        /** ProxyAttestationServerRequest native_psa_attestation_token. */
        native_psa_attestation_token?: (transport_protocol.NativePsaAttestationToken.$Properties|null);

        /** ProxyAttestationServerRequest proxy_psa_attestation_token. */
        proxy_psa_attestation_token?: (transport_protocol.ProxyPsaAttestationToken.$Properties|null);

        /** ProxyAttestationServerRequest nitro_attestation_doc. */
        nitro_attestation_doc?: (transport_protocol.NitroAttestationDoc.$Properties|null);

        /** ProxyAttestationServerRequest message_oneof. */
        message_oneof?: ("start_msg"|"native_psa_attestation_token"|"proxy_psa_attestation_token"|"nitro_attestation_doc");

        /**
         * Encodes the specified ProxyAttestationServerRequest message. Does not implicitly {@link transport_protocol.ProxyAttestationServerRequest.verify|verify} messages.
         * @param message ProxyAttestationServerRequest message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.ProxyAttestationServerRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a ProxyAttestationServerRequest message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.ProxyAttestationServerRequest & transport_protocol.ProxyAttestationServerRequest.$Shape} ProxyAttestationServerRequest
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.ProxyAttestationServerRequest & transport_protocol.ProxyAttestationServerRequest.$Shape;
    }

    namespace ProxyAttestationServerRequest {

        /** Properties of a ProxyAttestationServerRequest. */
        interface $Properties {

            /** ProxyAttestationServerRequest context */
            context?: (number|null);

            /** ProxyAttestationServerRequest start_msg */
            start_msg?: (transport_protocol.StartMsg.$Properties|null);

            /** ProxyAttestationServerRequest native_psa_attestation_token */
            native_psa_attestation_token?: (transport_protocol.NativePsaAttestationToken.$Properties|null);

            /** ProxyAttestationServerRequest proxy_psa_attestation_token */
            proxy_psa_attestation_token?: (transport_protocol.ProxyPsaAttestationToken.$Properties|null);

            /** ProxyAttestationServerRequest nitro_attestation_doc */
            nitro_attestation_doc?: (transport_protocol.NitroAttestationDoc.$Properties|null);

            /** ProxyAttestationServerRequest message_oneof */
            message_oneof?: ("start_msg"|"native_psa_attestation_token"|"proxy_psa_attestation_token"|"nitro_attestation_doc");

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Narrowed shape of a ProxyAttestationServerRequest. */
        type $Shape = {
          context?: number|null;
          start_msg?: transport_protocol.StartMsg.$Shape|null;
          native_psa_attestation_token?: transport_protocol.NativePsaAttestationToken.$Shape|null;
          proxy_psa_attestation_token?: transport_protocol.ProxyPsaAttestationToken.$Shape|null;
          nitro_attestation_doc?: transport_protocol.NitroAttestationDoc.$Shape|null;
          $unknowns?: Uint8Array[];
        } & (
          ({ message_oneof?: undefined; start_msg?: null; native_psa_attestation_token?: null; proxy_psa_attestation_token?: null; nitro_attestation_doc?: null }|{ message_oneof?: "start_msg"; start_msg: transport_protocol.StartMsg.$Shape; native_psa_attestation_token?: null; proxy_psa_attestation_token?: null; nitro_attestation_doc?: null }|{ message_oneof?: "native_psa_attestation_token"; start_msg?: null; native_psa_attestation_token: transport_protocol.NativePsaAttestationToken.$Shape; proxy_psa_attestation_token?: null; nitro_attestation_doc?: null }|{ message_oneof?: "proxy_psa_attestation_token"; start_msg?: null; native_psa_attestation_token?: null; proxy_psa_attestation_token: transport_protocol.ProxyPsaAttestationToken.$Shape; nitro_attestation_doc?: null }|{ message_oneof?: "nitro_attestation_doc"; start_msg?: null; native_psa_attestation_token?: null; proxy_psa_attestation_token?: null; nitro_attestation_doc: transport_protocol.NitroAttestationDoc.$Shape })
        );
    }

    /**
     * Properties of a ProxyAttestationServerResponse.
     * @deprecated Use transport_protocol.ProxyAttestationServerResponse.$Properties instead.
     */
    interface IProxyAttestationServerResponse extends transport_protocol.ProxyAttestationServerResponse.$Properties {
    }

    /** Represents a ProxyAttestationServerResponse. */
    class ProxyAttestationServerResponse {

        /**
         * Constructs a new ProxyAttestationServerResponse.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.ProxyAttestationServerResponse.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** ProxyAttestationServerResponse context. */
        context: number;

        /** ProxyAttestationServerResponse psa_attestation_init. */
        psa_attestation_init?: (transport_protocol.PsaAttestationInit.$Properties|null);

        /** ProxyAttestationServerResponse cert_chain. */
        cert_chain?: (transport_protocol.CertChain.$Properties|null);

        /** ProxyAttestationServerResponse message_oneof. */
        message_oneof?: ("psa_attestation_init"|"cert_chain");

        /**
         * Encodes the specified ProxyAttestationServerResponse message. Does not implicitly {@link transport_protocol.ProxyAttestationServerResponse.verify|verify} messages.
         * @param message ProxyAttestationServerResponse message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.ProxyAttestationServerResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a ProxyAttestationServerResponse message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.ProxyAttestationServerResponse & transport_protocol.ProxyAttestationServerResponse.$Shape} ProxyAttestationServerResponse
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.ProxyAttestationServerResponse & transport_protocol.ProxyAttestationServerResponse.$Shape;
    }

    namespace ProxyAttestationServerResponse {

        /** Properties of a ProxyAttestationServerResponse. */
        interface $Properties {

            /** ProxyAttestationServerResponse context */
            context?: (number|null);

            /** ProxyAttestationServerResponse psa_attestation_init */
            psa_attestation_init?: (transport_protocol.PsaAttestationInit.$Properties|null);

            /** ProxyAttestationServerResponse cert_chain */
            cert_chain?: (transport_protocol.CertChain.$Properties|null);

            /** ProxyAttestationServerResponse message_oneof */
            message_oneof?: ("psa_attestation_init"|"cert_chain");

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Narrowed shape of a ProxyAttestationServerResponse. */
        type $Shape = {
          context?: number|null;
          psa_attestation_init?: transport_protocol.PsaAttestationInit.$Shape|null;
          cert_chain?: transport_protocol.CertChain.$Shape|null;
          $unknowns?: Uint8Array[];
        } & (
          ({ message_oneof?: undefined; psa_attestation_init?: null; cert_chain?: null }|{ message_oneof?: "psa_attestation_init"; psa_attestation_init: transport_protocol.PsaAttestationInit.$Shape; cert_chain?: null }|{ message_oneof?: "cert_chain"; psa_attestation_init?: null; cert_chain: transport_protocol.CertChain.$Shape })
        );
    }

    /**
     * Properties of a RuntimeManagerRequest.
     * @deprecated Use transport_protocol.RuntimeManagerRequest.$Properties instead.
     */
    interface IRuntimeManagerRequest extends transport_protocol.RuntimeManagerRequest.$Properties {
    }

    /** Represents a RuntimeManagerRequest. */
    class RuntimeManagerRequest {

        /**
         * Constructs a new RuntimeManagerRequest.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.RuntimeManagerRequest.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** RuntimeManagerRequest context. */
        context: number;

        /** RuntimeManagerRequest write_file. */
        write_file?: (transport_protocol.Data.$Properties|null);

        /** RuntimeManagerRequest append_file. */
        append_file?: (transport_protocol.Data.$Properties|null);

        /** RuntimeManagerRequest request_pi_hash. */
        request_pi_hash?: (transport_protocol.RequestPiHash.$Properties|null);

        /** RuntimeManagerRequest request_result. */
        request_result?: (transport_protocol.RequestResult.$Properties|null);

        /** RuntimeManagerRequest request_proxy_psa_attestation_token. */
        request_proxy_psa_attestation_token?: (transport_protocol.RequestProxyPsaAttestationToken.$Properties|null);

        /** RuntimeManagerRequest request_shutdown. */
        request_shutdown?: (transport_protocol.RequestShutdown.$Properties|null);

        /** RuntimeManagerRequest psa_attestation_init. */
        psa_attestation_init?: (transport_protocol.PsaAttestationInit.$Properties|null);

        /** RuntimeManagerRequest request_policy_hash. */
        request_policy_hash?: (transport_protocol.RequestPolicyHash.$Properties|null);

        /** RuntimeManagerRequest read_file. */
        read_file?: (transport_protocol.Read.$Properties|null);

        /** RuntimeManagerRequest request_pipeline. */
        request_pipeline?: (transport_protocol.RequestResult.$Properties|null);

        /** RuntimeManagerRequest message_oneof. */
        message_oneof?: ("write_file"|"append_file"|"request_pi_hash"|"request_result"|"request_proxy_psa_attestation_token"|"request_shutdown"|"psa_attestation_init"|"request_policy_hash"|"read_file"|"request_pipeline");

        /**
         * Encodes the specified RuntimeManagerRequest message. Does not implicitly {@link transport_protocol.RuntimeManagerRequest.verify|verify} messages.
         * @param message RuntimeManagerRequest message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.RuntimeManagerRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a RuntimeManagerRequest message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.RuntimeManagerRequest & transport_protocol.RuntimeManagerRequest.$Shape} RuntimeManagerRequest
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.RuntimeManagerRequest & transport_protocol.RuntimeManagerRequest.$Shape;
    }

    namespace RuntimeManagerRequest {

        /** Properties of a RuntimeManagerRequest. */
        interface $Properties {

            /** RuntimeManagerRequest context */
            context?: (number|null);

            /** RuntimeManagerRequest write_file */
            write_file?: (transport_protocol.Data.$Properties|null);

            /** RuntimeManagerRequest append_file */
            append_file?: (transport_protocol.Data.$Properties|null);

            /** RuntimeManagerRequest request_pi_hash */
            request_pi_hash?: (transport_protocol.RequestPiHash.$Properties|null);

            /** RuntimeManagerRequest request_result */
            request_result?: (transport_protocol.RequestResult.$Properties|null);

            /** RuntimeManagerRequest request_proxy_psa_attestation_token */
            request_proxy_psa_attestation_token?: (transport_protocol.RequestProxyPsaAttestationToken.$Properties|null);

            /** RuntimeManagerRequest request_shutdown */
            request_shutdown?: (transport_protocol.RequestShutdown.$Properties|null);

            /** RuntimeManagerRequest psa_attestation_init */
            psa_attestation_init?: (transport_protocol.PsaAttestationInit.$Properties|null);

            /** RuntimeManagerRequest request_policy_hash */
            request_policy_hash?: (transport_protocol.RequestPolicyHash.$Properties|null);

            /** RuntimeManagerRequest read_file */
            read_file?: (transport_protocol.Read.$Properties|null);

            /** RuntimeManagerRequest request_pipeline */
            request_pipeline?: (transport_protocol.RequestResult.$Properties|null);

            /** RuntimeManagerRequest message_oneof */
            message_oneof?: ("write_file"|"append_file"|"request_pi_hash"|"request_result"|"request_proxy_psa_attestation_token"|"request_shutdown"|"psa_attestation_init"|"request_policy_hash"|"read_file"|"request_pipeline");

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Narrowed shape of a RuntimeManagerRequest. */
        type $Shape = {
          context?: number|null;
          write_file?: transport_protocol.Data.$Shape|null;
          append_file?: transport_protocol.Data.$Shape|null;
          request_pi_hash?: transport_protocol.RequestPiHash.$Shape|null;
          request_result?: transport_protocol.RequestResult.$Shape|null;
          request_proxy_psa_attestation_token?: transport_protocol.RequestProxyPsaAttestationToken.$Shape|null;
          request_shutdown?: transport_protocol.RequestShutdown.$Shape|null;
          psa_attestation_init?: transport_protocol.PsaAttestationInit.$Shape|null;
          request_policy_hash?: transport_protocol.RequestPolicyHash.$Shape|null;
          read_file?: transport_protocol.Read.$Shape|null;
          request_pipeline?: transport_protocol.RequestResult.$Shape|null;
          $unknowns?: Uint8Array[];
        } & (
          ({ message_oneof?: undefined; write_file?: null; append_file?: null; request_pi_hash?: null; request_result?: null; request_proxy_psa_attestation_token?: null; request_shutdown?: null; psa_attestation_init?: null; request_policy_hash?: null; read_file?: null; request_pipeline?: null }|{ message_oneof?: "write_file"; write_file: transport_protocol.Data.$Shape; append_file?: null; request_pi_hash?: null; request_result?: null; request_proxy_psa_attestation_token?: null; request_shutdown?: null; psa_attestation_init?: null; request_policy_hash?: null; read_file?: null; request_pipeline?: null }|{ message_oneof?: "append_file"; write_file?: null; append_file: transport_protocol.Data.$Shape; request_pi_hash?: null; request_result?: null; request_proxy_psa_attestation_token?: null; request_shutdown?: null; psa_attestation_init?: null; request_policy_hash?: null; read_file?: null; request_pipeline?: null }|{ message_oneof?: "request_pi_hash"; write_file?: null; append_file?: null; request_pi_hash: transport_protocol.RequestPiHash.$Shape; request_result?: null; request_proxy_psa_attestation_token?: null; request_shutdown?: null; psa_attestation_init?: null; request_policy_hash?: null; read_file?: null; request_pipeline?: null }|{ message_oneof?: "request_result"; write_file?: null; append_file?: null; request_pi_hash?: null; request_result: transport_protocol.RequestResult.$Shape; request_proxy_psa_attestation_token?: null; request_shutdown?: null; psa_attestation_init?: null; request_policy_hash?: null; read_file?: null; request_pipeline?: null }|{ message_oneof?: "request_proxy_psa_attestation_token"; write_file?: null; append_file?: null; request_pi_hash?: null; request_result?: null; request_proxy_psa_attestation_token: transport_protocol.RequestProxyPsaAttestationToken.$Shape; request_shutdown?: null; psa_attestation_init?: null; request_policy_hash?: null; read_file?: null; request_pipeline?: null }|{ message_oneof?: "request_shutdown"; write_file?: null; append_file?: null; request_pi_hash?: null; request_result?: null; request_proxy_psa_attestation_token?: null; request_shutdown: transport_protocol.RequestShutdown.$Shape; psa_attestation_init?: null; request_policy_hash?: null; read_file?: null; request_pipeline?: null }|{ message_oneof?: "psa_attestation_init"; write_file?: null; append_file?: null; request_pi_hash?: null; request_result?: null; request_proxy_psa_attestation_token?: null; request_shutdown?: null; psa_attestation_init: transport_protocol.PsaAttestationInit.$Shape; request_policy_hash?: null; read_file?: null; request_pipeline?: null }|{ message_oneof?: "request_policy_hash"; write_file?: null; append_file?: null; request_pi_hash?: null; request_result?: null; request_proxy_psa_attestation_token?: null; request_shutdown?: null; psa_attestation_init?: null; request_policy_hash: transport_protocol.RequestPolicyHash.$Shape; read_file?: null; request_pipeline?: null }|{ message_oneof?: "read_file"; write_file?: null; append_file?: null; request_pi_hash?: null; request_result?: null; request_proxy_psa_attestation_token?: null; request_shutdown?: null; psa_attestation_init?: null; request_policy_hash?: null; read_file: transport_protocol.Read.$Shape; request_pipeline?: null }|{ message_oneof?: "request_pipeline"; write_file?: null; append_file?: null; request_pi_hash?: null; request_result?: null; request_proxy_psa_attestation_token?: null; request_shutdown?: null; psa_attestation_init?: null; request_policy_hash?: null; read_file?: null; request_pipeline: transport_protocol.RequestResult.$Shape })
        );
    }

    /**
     * Properties of a RuntimeManagerResponse.
     * @deprecated Use transport_protocol.RuntimeManagerResponse.$Properties instead.
     */
    interface IRuntimeManagerResponse extends transport_protocol.RuntimeManagerResponse.$Properties {
    }

    /** Represents a RuntimeManagerResponse. */
    class RuntimeManagerResponse {

        /**
         * Constructs a new RuntimeManagerResponse.
         * @param [properties] Properties to set
         */
        constructor(properties?: transport_protocol.RuntimeManagerResponse.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** RuntimeManagerResponse status. */
        status: transport_protocol.ResponseStatus;

        /** RuntimeManagerResponse context. */
        context: number;

        /** RuntimeManagerResponse result. */
        result?: (transport_protocol.Result.$Properties|null);

        /** RuntimeManagerResponse pi_hash. */
        pi_hash?: (transport_protocol.PiHash.$Properties|null);

        /** RuntimeManagerResponse error. */
        error?: (transport_protocol.ErrorCode.$Properties|null);

        /** RuntimeManagerResponse state. */
        state?: (transport_protocol.State.$Properties|null);

        /** RuntimeManagerResponse policy_hash. */
        policy_hash?: (transport_protocol.PolicyHash.$Properties|null);

        /** RuntimeManagerResponse cert. */
        cert?: (transport_protocol.Cert.$Properties|null);

        /** RuntimeManagerResponse message_oneof. */
        message_oneof?: ("result"|"pi_hash"|"error"|"state"|"policy_hash"|"cert");

        /**
         * Encodes the specified RuntimeManagerResponse message. Does not implicitly {@link transport_protocol.RuntimeManagerResponse.verify|verify} messages.
         * @param message RuntimeManagerResponse message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: transport_protocol.RuntimeManagerResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a RuntimeManagerResponse message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {transport_protocol.RuntimeManagerResponse & transport_protocol.RuntimeManagerResponse.$Shape} RuntimeManagerResponse
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): transport_protocol.RuntimeManagerResponse & transport_protocol.RuntimeManagerResponse.$Shape;
    }

    namespace RuntimeManagerResponse {

        /** Properties of a RuntimeManagerResponse. */
        interface $Properties {

            /** RuntimeManagerResponse status */
            status?: (transport_protocol.ResponseStatus|null);

            /** RuntimeManagerResponse context */
            context?: (number|null);

            /** RuntimeManagerResponse result */
            result?: (transport_protocol.Result.$Properties|null);

            /** RuntimeManagerResponse pi_hash */
            pi_hash?: (transport_protocol.PiHash.$Properties|null);

            /** RuntimeManagerResponse error */
            error?: (transport_protocol.ErrorCode.$Properties|null);

            /** RuntimeManagerResponse state */
            state?: (transport_protocol.State.$Properties|null);

            /** RuntimeManagerResponse policy_hash */
            policy_hash?: (transport_protocol.PolicyHash.$Properties|null);

            /** RuntimeManagerResponse cert */
            cert?: (transport_protocol.Cert.$Properties|null);

            /** RuntimeManagerResponse message_oneof */
            message_oneof?: ("result"|"pi_hash"|"error"|"state"|"policy_hash"|"cert");

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Narrowed shape of a RuntimeManagerResponse. */
        type $Shape = {
          status?: transport_protocol.ResponseStatus|null;
          context?: number|null;
          result?: transport_protocol.Result.$Shape|null;
          pi_hash?: transport_protocol.PiHash.$Shape|null;
          error?: transport_protocol.ErrorCode.$Shape|null;
          state?: transport_protocol.State.$Shape|null;
          policy_hash?: transport_protocol.PolicyHash.$Shape|null;
          cert?: transport_protocol.Cert.$Shape|null;
          $unknowns?: Uint8Array[];
        } & (
          ({ message_oneof?: undefined; result?: null; pi_hash?: null; error?: null; state?: null; policy_hash?: null; cert?: null }|{ message_oneof?: "result"; result: transport_protocol.Result.$Shape; pi_hash?: null; error?: null; state?: null; policy_hash?: null; cert?: null }|{ message_oneof?: "pi_hash"; result?: null; pi_hash: transport_protocol.PiHash.$Shape; error?: null; state?: null; policy_hash?: null; cert?: null }|{ message_oneof?: "error"; result?: null; pi_hash?: null; error: transport_protocol.ErrorCode.$Shape; state?: null; policy_hash?: null; cert?: null }|{ message_oneof?: "state"; result?: null; pi_hash?: null; error?: null; state: transport_protocol.State.$Shape; policy_hash?: null; cert?: null }|{ message_oneof?: "policy_hash"; result?: null; pi_hash?: null; error?: null; state?: null; policy_hash: transport_protocol.PolicyHash.$Shape; cert?: null }|{ message_oneof?: "cert"; result?: null; pi_hash?: null; error?: null; state?: null; policy_hash?: null; cert: transport_protocol.Cert.$Shape })
        );
    }
}
