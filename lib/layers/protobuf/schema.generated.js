// Made by proto/generate.js from transport_protocol.proto. Do not edit.
/*eslint-disable block-scoped-var, id-length, no-control-regex, no-magic-numbers, no-mixed-operators, no-prototype-builtins, no-redeclare, no-shadow, no-var, sort-vars, default-case, jsdoc/require-param*/
import $protobuf from "protobufjs/minimal.js";

// Common aliases
const $Reader = $protobuf.Reader, $Writer = $protobuf.Writer, $util = $protobuf.util;
const $Object = $util.global.Object, $undefined = $util.global.undefined, $Error = $util.global.Error, $RangeError = $util.global.RangeError;

// Exported root namespace
const $root = $protobuf.roots["veracruz-streams"] || ($protobuf.roots["veracruz-streams"] = {});

export const transport_protocol = $root.transport_protocol = (() => {

    /**
     * Namespace transport_protocol.
     * @exports transport_protocol
     * @namespace
     */
    const transport_protocol = {};

    transport_protocol.StartMsg = (function() {

        /**
         * Properties of a StartMsg.
         * @typedef {Object} transport_protocol.StartMsg.$Properties
         * @property {string|null} [protocol] StartMsg protocol
         * @property {string|null} [firmware_version] StartMsg firmware_version
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a StartMsg.
         * @memberof transport_protocol
         * @interface IStartMsg
         * @augments transport_protocol.StartMsg.$Properties
         * @deprecated Use transport_protocol.StartMsg.$Properties instead.
         */

        /**
         * Shape of a StartMsg.
         * @typedef {transport_protocol.StartMsg.$Properties} transport_protocol.StartMsg.$Shape
         */

        /**
         * Constructs a new StartMsg.
         * @memberof transport_protocol
         * @classdesc Represents a StartMsg.
         * @constructor
         * @param {transport_protocol.StartMsg.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const StartMsg = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * StartMsg protocol.
         * @member {string} protocol
         * @memberof transport_protocol.StartMsg
         * @instance
         */
        StartMsg.prototype.protocol = "";

        /**
         * StartMsg firmware_version.
         * @member {string} firmware_version
         * @memberof transport_protocol.StartMsg
         * @instance
         */
        StartMsg.prototype.firmware_version = "";

        /**
         * Encodes the specified StartMsg message. Does not implicitly {@link transport_protocol.StartMsg.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.StartMsg
         * @static
         * @param {transport_protocol.StartMsg.$Properties} message StartMsg message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        StartMsg.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.protocol != null && $Object.hasOwnProperty.call(message, "protocol") && message.protocol !== "")
                writer.uint32(/* id 1, wireType 2 =*/10).string(message.protocol);
            if (message.firmware_version != null && $Object.hasOwnProperty.call(message, "firmware_version") && message.firmware_version !== "")
                writer.uint32(/* id 2, wireType 2 =*/18).string(message.firmware_version);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a StartMsg message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.StartMsg
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.StartMsg & transport_protocol.StartMsg.$Shape} StartMsg
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        StartMsg.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.StartMsg();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.protocol = value;
                        else
                            delete message.protocol;
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.firmware_version = value;
                        else
                            delete message.firmware_version;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return StartMsg;
    })();

    transport_protocol.Program = (function() {

        /**
         * Properties of a Program.
         * @typedef {Object} transport_protocol.Program.$Properties
         * @property {string|null} [file_name] Program file_name
         * @property {Uint8Array|null} [code] Program code
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Program.
         * @memberof transport_protocol
         * @interface IProgram
         * @augments transport_protocol.Program.$Properties
         * @deprecated Use transport_protocol.Program.$Properties instead.
         */

        /**
         * Shape of a Program.
         * @typedef {transport_protocol.Program.$Properties} transport_protocol.Program.$Shape
         */

        /**
         * Constructs a new Program.
         * @memberof transport_protocol
         * @classdesc Represents a Program.
         * @constructor
         * @param {transport_protocol.Program.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Program = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Program file_name.
         * @member {string} file_name
         * @memberof transport_protocol.Program
         * @instance
         */
        Program.prototype.file_name = "";

        /**
         * Program code.
         * @member {Uint8Array} code
         * @memberof transport_protocol.Program
         * @instance
         */
        Program.prototype.code = $util.newBuffer([]);

        /**
         * Encodes the specified Program message. Does not implicitly {@link transport_protocol.Program.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.Program
         * @static
         * @param {transport_protocol.Program.$Properties} message Program message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Program.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.file_name != null && $Object.hasOwnProperty.call(message, "file_name") && message.file_name !== "")
                writer.uint32(/* id 1, wireType 2 =*/10).string(message.file_name);
            if (message.code != null && $Object.hasOwnProperty.call(message, "code") && message.code.length)
                writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.code);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Program message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.Program
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.Program & transport_protocol.Program.$Shape} Program
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Program.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.Program();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.file_name = value;
                        else
                            delete message.file_name;
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.code = value;
                        else
                            delete message.code;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return Program;
    })();

    transport_protocol.Data = (function() {

        /**
         * Properties of a Data.
         * @typedef {Object} transport_protocol.Data.$Properties
         * @property {string|null} [file_name] Data file_name
         * @property {Uint8Array|null} [data] Data data
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Data.
         * @memberof transport_protocol
         * @interface IData
         * @augments transport_protocol.Data.$Properties
         * @deprecated Use transport_protocol.Data.$Properties instead.
         */

        /**
         * Shape of a Data.
         * @typedef {transport_protocol.Data.$Properties} transport_protocol.Data.$Shape
         */

        /**
         * Constructs a new Data.
         * @memberof transport_protocol
         * @classdesc Represents a Data.
         * @constructor
         * @param {transport_protocol.Data.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Data = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Data file_name.
         * @member {string} file_name
         * @memberof transport_protocol.Data
         * @instance
         */
        Data.prototype.file_name = "";

        /**
         * Data data.
         * @member {Uint8Array} data
         * @memberof transport_protocol.Data
         * @instance
         */
        Data.prototype.data = $util.newBuffer([]);

        /**
         * Encodes the specified Data message. Does not implicitly {@link transport_protocol.Data.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.Data
         * @static
         * @param {transport_protocol.Data.$Properties} message Data message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Data.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.file_name != null && $Object.hasOwnProperty.call(message, "file_name") && message.file_name !== "")
                writer.uint32(/* id 1, wireType 2 =*/10).string(message.file_name);
            if (message.data != null && $Object.hasOwnProperty.call(message, "data") && message.data.length)
                writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.data);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Data message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.Data
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.Data & transport_protocol.Data.$Shape} Data
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Data.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.Data();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.file_name = value;
                        else
                            delete message.file_name;
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.data = value;
                        else
                            delete message.data;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return Data;
    })();

    transport_protocol.Read = (function() {

        /**
         * Properties of a Read.
         * @typedef {Object} transport_protocol.Read.$Properties
         * @property {string|null} [file_name] Read file_name
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Read.
         * @memberof transport_protocol
         * @interface IRead
         * @augments transport_protocol.Read.$Properties
         * @deprecated Use transport_protocol.Read.$Properties instead.
         */

        /**
         * Shape of a Read.
         * @typedef {transport_protocol.Read.$Properties} transport_protocol.Read.$Shape
         */

        /**
         * Constructs a new Read.
         * @memberof transport_protocol
         * @classdesc Represents a Read.
         * @constructor
         * @param {transport_protocol.Read.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Read = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Read file_name.
         * @member {string} file_name
         * @memberof transport_protocol.Read
         * @instance
         */
        Read.prototype.file_name = "";

        /**
         * Encodes the specified Read message. Does not implicitly {@link transport_protocol.Read.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.Read
         * @static
         * @param {transport_protocol.Read.$Properties} message Read message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Read.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.file_name != null && $Object.hasOwnProperty.call(message, "file_name") && message.file_name !== "")
                writer.uint32(/* id 1, wireType 2 =*/10).string(message.file_name);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Read message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.Read
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.Read & transport_protocol.Read.$Shape} Read
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Read.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.Read();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.file_name = value;
                        else
                            delete message.file_name;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return Read;
    })();

    transport_protocol.RequestResult = (function() {

        /**
         * Properties of a RequestResult.
         * @typedef {Object} transport_protocol.RequestResult.$Properties
         * @property {string|null} [file_name] RequestResult file_name
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a RequestResult.
         * @memberof transport_protocol
         * @interface IRequestResult
         * @augments transport_protocol.RequestResult.$Properties
         * @deprecated Use transport_protocol.RequestResult.$Properties instead.
         */

        /**
         * Shape of a RequestResult.
         * @typedef {transport_protocol.RequestResult.$Properties} transport_protocol.RequestResult.$Shape
         */

        /**
         * Constructs a new RequestResult.
         * @memberof transport_protocol
         * @classdesc Represents a RequestResult.
         * @constructor
         * @param {transport_protocol.RequestResult.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const RequestResult = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * RequestResult file_name.
         * @member {string} file_name
         * @memberof transport_protocol.RequestResult
         * @instance
         */
        RequestResult.prototype.file_name = "";

        /**
         * Encodes the specified RequestResult message. Does not implicitly {@link transport_protocol.RequestResult.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.RequestResult
         * @static
         * @param {transport_protocol.RequestResult.$Properties} message RequestResult message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        RequestResult.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.file_name != null && $Object.hasOwnProperty.call(message, "file_name") && message.file_name !== "")
                writer.uint32(/* id 1, wireType 2 =*/10).string(message.file_name);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a RequestResult message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.RequestResult
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.RequestResult & transport_protocol.RequestResult.$Shape} RequestResult
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        RequestResult.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.RequestResult();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.file_name = value;
                        else
                            delete message.file_name;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return RequestResult;
    })();

    transport_protocol.RequestPiHash = (function() {

        /**
         * Properties of a RequestPiHash.
         * @typedef {Object} transport_protocol.RequestPiHash.$Properties
         * @property {string|null} [file_name] RequestPiHash file_name
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a RequestPiHash.
         * @memberof transport_protocol
         * @interface IRequestPiHash
         * @augments transport_protocol.RequestPiHash.$Properties
         * @deprecated Use transport_protocol.RequestPiHash.$Properties instead.
         */

        /**
         * Shape of a RequestPiHash.
         * @typedef {transport_protocol.RequestPiHash.$Properties} transport_protocol.RequestPiHash.$Shape
         */

        /**
         * Constructs a new RequestPiHash.
         * @memberof transport_protocol
         * @classdesc Represents a RequestPiHash.
         * @constructor
         * @param {transport_protocol.RequestPiHash.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const RequestPiHash = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * RequestPiHash file_name.
         * @member {string} file_name
         * @memberof transport_protocol.RequestPiHash
         * @instance
         */
        RequestPiHash.prototype.file_name = "";

        /**
         * Encodes the specified RequestPiHash message. Does not implicitly {@link transport_protocol.RequestPiHash.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.RequestPiHash
         * @static
         * @param {transport_protocol.RequestPiHash.$Properties} message RequestPiHash message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        RequestPiHash.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.file_name != null && $Object.hasOwnProperty.call(message, "file_name") && message.file_name !== "")
                writer.uint32(/* id 1, wireType 2 =*/10).string(message.file_name);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a RequestPiHash message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.RequestPiHash
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.RequestPiHash & transport_protocol.RequestPiHash.$Shape} RequestPiHash
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        RequestPiHash.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.RequestPiHash();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.file_name = value;
                        else
                            delete message.file_name;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return RequestPiHash;
    })();

    transport_protocol.NitroAttestationDoc = (function() {

        /**
         * Properties of a NitroAttestationDoc.
         * @typedef {Object} transport_protocol.NitroAttestationDoc.$Properties
         * @property {Uint8Array|null} [doc] NitroAttestationDoc doc
         * @property {number|null} [device_id] NitroAttestationDoc device_id
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a NitroAttestationDoc.
         * @memberof transport_protocol
         * @interface INitroAttestationDoc
         * @augments transport_protocol.NitroAttestationDoc.$Properties
         * @deprecated Use transport_protocol.NitroAttestationDoc.$Properties instead.
         */

        /**
         * Shape of a NitroAttestationDoc.
         * @typedef {transport_protocol.NitroAttestationDoc.$Properties} transport_protocol.NitroAttestationDoc.$Shape
         */

        /**
         * Constructs a new NitroAttestationDoc.
         * @memberof transport_protocol
         * @classdesc Represents a NitroAttestationDoc.
         * @constructor
         * @param {transport_protocol.NitroAttestationDoc.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const NitroAttestationDoc = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * NitroAttestationDoc doc.
         * @member {Uint8Array} doc
         * @memberof transport_protocol.NitroAttestationDoc
         * @instance
         */
        NitroAttestationDoc.prototype.doc = $util.newBuffer([]);

        /**
         * NitroAttestationDoc device_id.
         * @member {number} device_id
         * @memberof transport_protocol.NitroAttestationDoc
         * @instance
         */
        NitroAttestationDoc.prototype.device_id = 0;

        /**
         * Encodes the specified NitroAttestationDoc message. Does not implicitly {@link transport_protocol.NitroAttestationDoc.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.NitroAttestationDoc
         * @static
         * @param {transport_protocol.NitroAttestationDoc.$Properties} message NitroAttestationDoc message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        NitroAttestationDoc.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.doc != null && $Object.hasOwnProperty.call(message, "doc") && message.doc.length)
                writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.doc);
            if (message.device_id != null && $Object.hasOwnProperty.call(message, "device_id") && message.device_id !== 0)
                writer.uint32(/* id 2, wireType 0 =*/16).int32(message.device_id);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a NitroAttestationDoc message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.NitroAttestationDoc
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.NitroAttestationDoc & transport_protocol.NitroAttestationDoc.$Shape} NitroAttestationDoc
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        NitroAttestationDoc.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.NitroAttestationDoc();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.doc = value;
                        else
                            delete message.doc;
                        continue;
                    }
                case 2: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.int32())
                            message.device_id = value;
                        else
                            delete message.device_id;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return NitroAttestationDoc;
    })();

    transport_protocol.PsaAttestationInit = (function() {

        /**
         * Properties of a PsaAttestationInit.
         * @typedef {Object} transport_protocol.PsaAttestationInit.$Properties
         * @property {Uint8Array|null} [challenge] PsaAttestationInit challenge
         * @property {number|null} [device_id] PsaAttestationInit device_id
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a PsaAttestationInit.
         * @memberof transport_protocol
         * @interface IPsaAttestationInit
         * @augments transport_protocol.PsaAttestationInit.$Properties
         * @deprecated Use transport_protocol.PsaAttestationInit.$Properties instead.
         */

        /**
         * Shape of a PsaAttestationInit.
         * @typedef {transport_protocol.PsaAttestationInit.$Properties} transport_protocol.PsaAttestationInit.$Shape
         */

        /**
         * Constructs a new PsaAttestationInit.
         * @memberof transport_protocol
         * @classdesc Represents a PsaAttestationInit.
         * @constructor
         * @param {transport_protocol.PsaAttestationInit.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const PsaAttestationInit = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * PsaAttestationInit challenge.
         * @member {Uint8Array} challenge
         * @memberof transport_protocol.PsaAttestationInit
         * @instance
         */
        PsaAttestationInit.prototype.challenge = $util.newBuffer([]);

        /**
         * PsaAttestationInit device_id.
         * @member {number} device_id
         * @memberof transport_protocol.PsaAttestationInit
         * @instance
         */
        PsaAttestationInit.prototype.device_id = 0;

        /**
         * Encodes the specified PsaAttestationInit message. Does not implicitly {@link transport_protocol.PsaAttestationInit.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.PsaAttestationInit
         * @static
         * @param {transport_protocol.PsaAttestationInit.$Properties} message PsaAttestationInit message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        PsaAttestationInit.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.challenge != null && $Object.hasOwnProperty.call(message, "challenge") && message.challenge.length)
                writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.challenge);
            if (message.device_id != null && $Object.hasOwnProperty.call(message, "device_id") && message.device_id !== 0)
                writer.uint32(/* id 2, wireType 0 =*/16).int32(message.device_id);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a PsaAttestationInit message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.PsaAttestationInit
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.PsaAttestationInit & transport_protocol.PsaAttestationInit.$Shape} PsaAttestationInit
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        PsaAttestationInit.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.PsaAttestationInit();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.challenge = value;
                        else
                            delete message.challenge;
                        continue;
                    }
                case 2: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.int32())
                            message.device_id = value;
                        else
                            delete message.device_id;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return PsaAttestationInit;
    })();

    transport_protocol.Result = (function() {

        /**
         * Properties of a Result.
         * @typedef {Object} transport_protocol.Result.$Properties
         * @property {Uint8Array|null} [data] Result data
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Result.
         * @memberof transport_protocol
         * @interface IResult
         * @augments transport_protocol.Result.$Properties
         * @deprecated Use transport_protocol.Result.$Properties instead.
         */

        /**
         * Shape of a Result.
         * @typedef {transport_protocol.Result.$Properties} transport_protocol.Result.$Shape
         */

        /**
         * Constructs a new Result.
         * @memberof transport_protocol
         * @classdesc Represents a Result.
         * @constructor
         * @param {transport_protocol.Result.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Result = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Result data.
         * @member {Uint8Array} data
         * @memberof transport_protocol.Result
         * @instance
         */
        Result.prototype.data = $util.newBuffer([]);

        /**
         * Encodes the specified Result message. Does not implicitly {@link transport_protocol.Result.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.Result
         * @static
         * @param {transport_protocol.Result.$Properties} message Result message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Result.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.data != null && $Object.hasOwnProperty.call(message, "data") && message.data.length)
                writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.data);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Result message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.Result
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.Result & transport_protocol.Result.$Shape} Result
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Result.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.Result();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.data = value;
                        else
                            delete message.data;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return Result;
    })();

    transport_protocol.PiHash = (function() {

        /**
         * Properties of a PiHash.
         * @typedef {Object} transport_protocol.PiHash.$Properties
         * @property {Uint8Array|null} [data] PiHash data
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a PiHash.
         * @memberof transport_protocol
         * @interface IPiHash
         * @augments transport_protocol.PiHash.$Properties
         * @deprecated Use transport_protocol.PiHash.$Properties instead.
         */

        /**
         * Shape of a PiHash.
         * @typedef {transport_protocol.PiHash.$Properties} transport_protocol.PiHash.$Shape
         */

        /**
         * Constructs a new PiHash.
         * @memberof transport_protocol
         * @classdesc Represents a PiHash.
         * @constructor
         * @param {transport_protocol.PiHash.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const PiHash = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * PiHash data.
         * @member {Uint8Array} data
         * @memberof transport_protocol.PiHash
         * @instance
         */
        PiHash.prototype.data = $util.newBuffer([]);

        /**
         * Encodes the specified PiHash message. Does not implicitly {@link transport_protocol.PiHash.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.PiHash
         * @static
         * @param {transport_protocol.PiHash.$Properties} message PiHash message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        PiHash.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.data != null && $Object.hasOwnProperty.call(message, "data") && message.data.length)
                writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.data);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a PiHash message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.PiHash
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.PiHash & transport_protocol.PiHash.$Shape} PiHash
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        PiHash.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.PiHash();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.data = value;
                        else
                            delete message.data;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return PiHash;
    })();

    transport_protocol.PolicyHash = (function() {

        /**
         * Properties of a PolicyHash.
         * @typedef {Object} transport_protocol.PolicyHash.$Properties
         * @property {Uint8Array|null} [data] PolicyHash data
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a PolicyHash.
         * @memberof transport_protocol
         * @interface IPolicyHash
         * @augments transport_protocol.PolicyHash.$Properties
         * @deprecated Use transport_protocol.PolicyHash.$Properties instead.
         */

        /**
         * Shape of a PolicyHash.
         * @typedef {transport_protocol.PolicyHash.$Properties} transport_protocol.PolicyHash.$Shape
         */

        /**
         * Constructs a new PolicyHash.
         * @memberof transport_protocol
         * @classdesc Represents a PolicyHash.
         * @constructor
         * @param {transport_protocol.PolicyHash.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const PolicyHash = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * PolicyHash data.
         * @member {Uint8Array} data
         * @memberof transport_protocol.PolicyHash
         * @instance
         */
        PolicyHash.prototype.data = $util.newBuffer([]);

        /**
         * Encodes the specified PolicyHash message. Does not implicitly {@link transport_protocol.PolicyHash.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.PolicyHash
         * @static
         * @param {transport_protocol.PolicyHash.$Properties} message PolicyHash message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        PolicyHash.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.data != null && $Object.hasOwnProperty.call(message, "data") && message.data.length)
                writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.data);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a PolicyHash message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.PolicyHash
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.PolicyHash & transport_protocol.PolicyHash.$Shape} PolicyHash
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        PolicyHash.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.PolicyHash();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.data = value;
                        else
                            delete message.data;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return PolicyHash;
    })();

    transport_protocol.Cert = (function() {

        /**
         * Properties of a Cert.
         * @typedef {Object} transport_protocol.Cert.$Properties
         * @property {Uint8Array|null} [data] Cert data
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Cert.
         * @memberof transport_protocol
         * @interface ICert
         * @augments transport_protocol.Cert.$Properties
         * @deprecated Use transport_protocol.Cert.$Properties instead.
         */

        /**
         * Shape of a Cert.
         * @typedef {transport_protocol.Cert.$Properties} transport_protocol.Cert.$Shape
         */

        /**
         * Constructs a new Cert.
         * @memberof transport_protocol
         * @classdesc Represents a Cert.
         * @constructor
         * @param {transport_protocol.Cert.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Cert = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Cert data.
         * @member {Uint8Array} data
         * @memberof transport_protocol.Cert
         * @instance
         */
        Cert.prototype.data = $util.newBuffer([]);

        /**
         * Encodes the specified Cert message. Does not implicitly {@link transport_protocol.Cert.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.Cert
         * @static
         * @param {transport_protocol.Cert.$Properties} message Cert message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Cert.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.data != null && $Object.hasOwnProperty.call(message, "data") && message.data.length)
                writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.data);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Cert message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.Cert
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.Cert & transport_protocol.Cert.$Shape} Cert
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Cert.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.Cert();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.data = value;
                        else
                            delete message.data;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return Cert;
    })();

    transport_protocol.ErrorCode = (function() {

        /**
         * Properties of an ErrorCode.
         * @typedef {Object} transport_protocol.ErrorCode.$Properties
         * @property {Uint8Array|null} [error] ErrorCode error
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an ErrorCode.
         * @memberof transport_protocol
         * @interface IErrorCode
         * @augments transport_protocol.ErrorCode.$Properties
         * @deprecated Use transport_protocol.ErrorCode.$Properties instead.
         */

        /**
         * Shape of an ErrorCode.
         * @typedef {transport_protocol.ErrorCode.$Properties} transport_protocol.ErrorCode.$Shape
         */

        /**
         * Constructs a new ErrorCode.
         * @memberof transport_protocol
         * @classdesc Represents an ErrorCode.
         * @constructor
         * @param {transport_protocol.ErrorCode.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const ErrorCode = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * ErrorCode error.
         * @member {Uint8Array} error
         * @memberof transport_protocol.ErrorCode
         * @instance
         */
        ErrorCode.prototype.error = $util.newBuffer([]);

        /**
         * Encodes the specified ErrorCode message. Does not implicitly {@link transport_protocol.ErrorCode.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.ErrorCode
         * @static
         * @param {transport_protocol.ErrorCode.$Properties} message ErrorCode message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        ErrorCode.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.error != null && $Object.hasOwnProperty.call(message, "error") && message.error.length)
                writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.error);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes an ErrorCode message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.ErrorCode
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.ErrorCode & transport_protocol.ErrorCode.$Shape} ErrorCode
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        ErrorCode.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.ErrorCode();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.error = value;
                        else
                            delete message.error;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return ErrorCode;
    })();

    transport_protocol.State = (function() {

        /**
         * Properties of a State.
         * @typedef {Object} transport_protocol.State.$Properties
         * @property {Uint8Array|null} [state] State state
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a State.
         * @memberof transport_protocol
         * @interface IState
         * @augments transport_protocol.State.$Properties
         * @deprecated Use transport_protocol.State.$Properties instead.
         */

        /**
         * Shape of a State.
         * @typedef {transport_protocol.State.$Properties} transport_protocol.State.$Shape
         */

        /**
         * Constructs a new State.
         * @memberof transport_protocol
         * @classdesc Represents a State.
         * @constructor
         * @param {transport_protocol.State.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const State = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * State state.
         * @member {Uint8Array} state
         * @memberof transport_protocol.State
         * @instance
         */
        State.prototype.state = $util.newBuffer([]);

        /**
         * Encodes the specified State message. Does not implicitly {@link transport_protocol.State.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.State
         * @static
         * @param {transport_protocol.State.$Properties} message State message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        State.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.state != null && $Object.hasOwnProperty.call(message, "state") && message.state.length)
                writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.state);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a State message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.State
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.State & transport_protocol.State.$Shape} State
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        State.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.State();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.state = value;
                        else
                            delete message.state;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return State;
    })();

    transport_protocol.RequestProxyPsaAttestationToken = (function() {

        /**
         * Properties of a RequestProxyPsaAttestationToken.
         * @typedef {Object} transport_protocol.RequestProxyPsaAttestationToken.$Properties
         * @property {Uint8Array|null} [challenge] RequestProxyPsaAttestationToken challenge
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a RequestProxyPsaAttestationToken.
         * @memberof transport_protocol
         * @interface IRequestProxyPsaAttestationToken
         * @augments transport_protocol.RequestProxyPsaAttestationToken.$Properties
         * @deprecated Use transport_protocol.RequestProxyPsaAttestationToken.$Properties instead.
         */

        /**
         * Shape of a RequestProxyPsaAttestationToken.
         * @typedef {transport_protocol.RequestProxyPsaAttestationToken.$Properties} transport_protocol.RequestProxyPsaAttestationToken.$Shape
         */

        /**
         * Constructs a new RequestProxyPsaAttestationToken.
         * @memberof transport_protocol
         * @classdesc Represents a RequestProxyPsaAttestationToken.
         * @constructor
         * @param {transport_protocol.RequestProxyPsaAttestationToken.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const RequestProxyPsaAttestationToken = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * RequestProxyPsaAttestationToken challenge.
         * @member {Uint8Array} challenge
         * @memberof transport_protocol.RequestProxyPsaAttestationToken
         * @instance
         */
        RequestProxyPsaAttestationToken.prototype.challenge = $util.newBuffer([]);

        /**
         * Encodes the specified RequestProxyPsaAttestationToken message. Does not implicitly {@link transport_protocol.RequestProxyPsaAttestationToken.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.RequestProxyPsaAttestationToken
         * @static
         * @param {transport_protocol.RequestProxyPsaAttestationToken.$Properties} message RequestProxyPsaAttestationToken message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        RequestProxyPsaAttestationToken.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.challenge != null && $Object.hasOwnProperty.call(message, "challenge") && message.challenge.length)
                writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.challenge);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a RequestProxyPsaAttestationToken message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.RequestProxyPsaAttestationToken
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.RequestProxyPsaAttestationToken & transport_protocol.RequestProxyPsaAttestationToken.$Shape} RequestProxyPsaAttestationToken
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        RequestProxyPsaAttestationToken.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.RequestProxyPsaAttestationToken();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.challenge = value;
                        else
                            delete message.challenge;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return RequestProxyPsaAttestationToken;
    })();

    transport_protocol.RequestCertificate = (function() {

        /**
         * Properties of a RequestCertificate.
         * @typedef {Object} transport_protocol.RequestCertificate.$Properties
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a RequestCertificate.
         * @memberof transport_protocol
         * @interface IRequestCertificate
         * @augments transport_protocol.RequestCertificate.$Properties
         * @deprecated Use transport_protocol.RequestCertificate.$Properties instead.
         */

        /**
         * Shape of a RequestCertificate.
         * @typedef {transport_protocol.RequestCertificate.$Properties} transport_protocol.RequestCertificate.$Shape
         */

        /**
         * Constructs a new RequestCertificate.
         * @memberof transport_protocol
         * @classdesc Represents a RequestCertificate.
         * @constructor
         * @param {transport_protocol.RequestCertificate.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const RequestCertificate = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Encodes the specified RequestCertificate message. Does not implicitly {@link transport_protocol.RequestCertificate.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.RequestCertificate
         * @static
         * @param {transport_protocol.RequestCertificate.$Properties} message RequestCertificate message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        RequestCertificate.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a RequestCertificate message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.RequestCertificate
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.RequestCertificate & transport_protocol.RequestCertificate.$Shape} RequestCertificate
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        RequestCertificate.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.RequestCertificate();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                reader.skipType(tag & 7, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return RequestCertificate;
    })();

    transport_protocol.RequestNextRound = (function() {

        /**
         * Properties of a RequestNextRound.
         * @typedef {Object} transport_protocol.RequestNextRound.$Properties
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a RequestNextRound.
         * @memberof transport_protocol
         * @interface IRequestNextRound
         * @augments transport_protocol.RequestNextRound.$Properties
         * @deprecated Use transport_protocol.RequestNextRound.$Properties instead.
         */

        /**
         * Shape of a RequestNextRound.
         * @typedef {transport_protocol.RequestNextRound.$Properties} transport_protocol.RequestNextRound.$Shape
         */

        /**
         * Constructs a new RequestNextRound.
         * @memberof transport_protocol
         * @classdesc Represents a RequestNextRound.
         * @constructor
         * @param {transport_protocol.RequestNextRound.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const RequestNextRound = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Encodes the specified RequestNextRound message. Does not implicitly {@link transport_protocol.RequestNextRound.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.RequestNextRound
         * @static
         * @param {transport_protocol.RequestNextRound.$Properties} message RequestNextRound message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        RequestNextRound.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a RequestNextRound message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.RequestNextRound
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.RequestNextRound & transport_protocol.RequestNextRound.$Shape} RequestNextRound
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        RequestNextRound.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.RequestNextRound();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                reader.skipType(tag & 7, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return RequestNextRound;
    })();

    transport_protocol.RequestState = (function() {

        /**
         * Properties of a RequestState.
         * @typedef {Object} transport_protocol.RequestState.$Properties
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a RequestState.
         * @memberof transport_protocol
         * @interface IRequestState
         * @augments transport_protocol.RequestState.$Properties
         * @deprecated Use transport_protocol.RequestState.$Properties instead.
         */

        /**
         * Shape of a RequestState.
         * @typedef {transport_protocol.RequestState.$Properties} transport_protocol.RequestState.$Shape
         */

        /**
         * Constructs a new RequestState.
         * @memberof transport_protocol
         * @classdesc Represents a RequestState.
         * @constructor
         * @param {transport_protocol.RequestState.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const RequestState = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Encodes the specified RequestState message. Does not implicitly {@link transport_protocol.RequestState.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.RequestState
         * @static
         * @param {transport_protocol.RequestState.$Properties} message RequestState message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        RequestState.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a RequestState message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.RequestState
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.RequestState & transport_protocol.RequestState.$Shape} RequestState
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        RequestState.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.RequestState();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                reader.skipType(tag & 7, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return RequestState;
    })();

    transport_protocol.RequestShutdown = (function() {

        /**
         * Properties of a RequestShutdown.
         * @typedef {Object} transport_protocol.RequestShutdown.$Properties
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a RequestShutdown.
         * @memberof transport_protocol
         * @interface IRequestShutdown
         * @augments transport_protocol.RequestShutdown.$Properties
         * @deprecated Use transport_protocol.RequestShutdown.$Properties instead.
         */

        /**
         * Shape of a RequestShutdown.
         * @typedef {transport_protocol.RequestShutdown.$Properties} transport_protocol.RequestShutdown.$Shape
         */

        /**
         * Constructs a new RequestShutdown.
         * @memberof transport_protocol
         * @classdesc Represents a RequestShutdown.
         * @constructor
         * @param {transport_protocol.RequestShutdown.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const RequestShutdown = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Encodes the specified RequestShutdown message. Does not implicitly {@link transport_protocol.RequestShutdown.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.RequestShutdown
         * @static
         * @param {transport_protocol.RequestShutdown.$Properties} message RequestShutdown message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        RequestShutdown.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a RequestShutdown message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.RequestShutdown
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.RequestShutdown & transport_protocol.RequestShutdown.$Shape} RequestShutdown
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        RequestShutdown.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.RequestShutdown();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                reader.skipType(tag & 7, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return RequestShutdown;
    })();

    transport_protocol.RequestPolicyHash = (function() {

        /**
         * Properties of a RequestPolicyHash.
         * @typedef {Object} transport_protocol.RequestPolicyHash.$Properties
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a RequestPolicyHash.
         * @memberof transport_protocol
         * @interface IRequestPolicyHash
         * @augments transport_protocol.RequestPolicyHash.$Properties
         * @deprecated Use transport_protocol.RequestPolicyHash.$Properties instead.
         */

        /**
         * Shape of a RequestPolicyHash.
         * @typedef {transport_protocol.RequestPolicyHash.$Properties} transport_protocol.RequestPolicyHash.$Shape
         */

        /**
         * Constructs a new RequestPolicyHash.
         * @memberof transport_protocol
         * @classdesc Represents a RequestPolicyHash.
         * @constructor
         * @param {transport_protocol.RequestPolicyHash.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const RequestPolicyHash = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Encodes the specified RequestPolicyHash message. Does not implicitly {@link transport_protocol.RequestPolicyHash.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.RequestPolicyHash
         * @static
         * @param {transport_protocol.RequestPolicyHash.$Properties} message RequestPolicyHash message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        RequestPolicyHash.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a RequestPolicyHash message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.RequestPolicyHash
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.RequestPolicyHash & transport_protocol.RequestPolicyHash.$Shape} RequestPolicyHash
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        RequestPolicyHash.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.RequestPolicyHash();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                reader.skipType(tag & 7, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return RequestPolicyHash;
    })();

    transport_protocol.NativePsaAttestationToken = (function() {

        /**
         * Properties of a NativePsaAttestationToken.
         * @typedef {Object} transport_protocol.NativePsaAttestationToken.$Properties
         * @property {Uint8Array|null} [token] NativePsaAttestationToken token
         * @property {number|null} [device_id] NativePsaAttestationToken device_id
         * @property {Uint8Array|null} [csr] NativePsaAttestationToken csr
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a NativePsaAttestationToken.
         * @memberof transport_protocol
         * @interface INativePsaAttestationToken
         * @augments transport_protocol.NativePsaAttestationToken.$Properties
         * @deprecated Use transport_protocol.NativePsaAttestationToken.$Properties instead.
         */

        /**
         * Shape of a NativePsaAttestationToken.
         * @typedef {transport_protocol.NativePsaAttestationToken.$Properties} transport_protocol.NativePsaAttestationToken.$Shape
         */

        /**
         * Constructs a new NativePsaAttestationToken.
         * @memberof transport_protocol
         * @classdesc Represents a NativePsaAttestationToken.
         * @constructor
         * @param {transport_protocol.NativePsaAttestationToken.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const NativePsaAttestationToken = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * NativePsaAttestationToken token.
         * @member {Uint8Array} token
         * @memberof transport_protocol.NativePsaAttestationToken
         * @instance
         */
        NativePsaAttestationToken.prototype.token = $util.newBuffer([]);

        /**
         * NativePsaAttestationToken device_id.
         * @member {number} device_id
         * @memberof transport_protocol.NativePsaAttestationToken
         * @instance
         */
        NativePsaAttestationToken.prototype.device_id = 0;

        /**
         * NativePsaAttestationToken csr.
         * @member {Uint8Array} csr
         * @memberof transport_protocol.NativePsaAttestationToken
         * @instance
         */
        NativePsaAttestationToken.prototype.csr = $util.newBuffer([]);

        /**
         * Encodes the specified NativePsaAttestationToken message. Does not implicitly {@link transport_protocol.NativePsaAttestationToken.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.NativePsaAttestationToken
         * @static
         * @param {transport_protocol.NativePsaAttestationToken.$Properties} message NativePsaAttestationToken message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        NativePsaAttestationToken.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.token != null && $Object.hasOwnProperty.call(message, "token") && message.token.length)
                writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.token);
            if (message.device_id != null && $Object.hasOwnProperty.call(message, "device_id") && message.device_id !== 0)
                writer.uint32(/* id 2, wireType 0 =*/16).int32(message.device_id);
            if (message.csr != null && $Object.hasOwnProperty.call(message, "csr") && message.csr.length)
                writer.uint32(/* id 3, wireType 2 =*/26).bytes(message.csr);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a NativePsaAttestationToken message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.NativePsaAttestationToken
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.NativePsaAttestationToken & transport_protocol.NativePsaAttestationToken.$Shape} NativePsaAttestationToken
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        NativePsaAttestationToken.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.NativePsaAttestationToken();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.token = value;
                        else
                            delete message.token;
                        continue;
                    }
                case 2: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.int32())
                            message.device_id = value;
                        else
                            delete message.device_id;
                        continue;
                    }
                case 3: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.csr = value;
                        else
                            delete message.csr;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return NativePsaAttestationToken;
    })();

    transport_protocol.ProxyPsaAttestationToken = (function() {

        /**
         * Properties of a ProxyPsaAttestationToken.
         * @typedef {Object} transport_protocol.ProxyPsaAttestationToken.$Properties
         * @property {Uint8Array|null} [token] ProxyPsaAttestationToken token
         * @property {Uint8Array|null} [pubkey] ProxyPsaAttestationToken pubkey
         * @property {number|null} [device_id] ProxyPsaAttestationToken device_id
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a ProxyPsaAttestationToken.
         * @memberof transport_protocol
         * @interface IProxyPsaAttestationToken
         * @augments transport_protocol.ProxyPsaAttestationToken.$Properties
         * @deprecated Use transport_protocol.ProxyPsaAttestationToken.$Properties instead.
         */

        /**
         * Shape of a ProxyPsaAttestationToken.
         * @typedef {transport_protocol.ProxyPsaAttestationToken.$Properties} transport_protocol.ProxyPsaAttestationToken.$Shape
         */

        /**
         * Constructs a new ProxyPsaAttestationToken.
         * @memberof transport_protocol
         * @classdesc Represents a ProxyPsaAttestationToken.
         * @constructor
         * @param {transport_protocol.ProxyPsaAttestationToken.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const ProxyPsaAttestationToken = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * ProxyPsaAttestationToken token.
         * @member {Uint8Array} token
         * @memberof transport_protocol.ProxyPsaAttestationToken
         * @instance
         */
        ProxyPsaAttestationToken.prototype.token = $util.newBuffer([]);

        /**
         * ProxyPsaAttestationToken pubkey.
         * @member {Uint8Array} pubkey
         * @memberof transport_protocol.ProxyPsaAttestationToken
         * @instance
         */
        ProxyPsaAttestationToken.prototype.pubkey = $util.newBuffer([]);

        /**
         * ProxyPsaAttestationToken device_id.
         * @member {number} device_id
         * @memberof transport_protocol.ProxyPsaAttestationToken
         * @instance
         */
        ProxyPsaAttestationToken.prototype.device_id = 0;

        /**
         * Encodes the specified ProxyPsaAttestationToken message. Does not implicitly {@link transport_protocol.ProxyPsaAttestationToken.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.ProxyPsaAttestationToken
         * @static
         * @param {transport_protocol.ProxyPsaAttestationToken.$Properties} message ProxyPsaAttestationToken message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        ProxyPsaAttestationToken.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.token != null && $Object.hasOwnProperty.call(message, "token") && message.token.length)
                writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.token);
            if (message.pubkey != null && $Object.hasOwnProperty.call(message, "pubkey") && message.pubkey.length)
                writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.pubkey);
            if (message.device_id != null && $Object.hasOwnProperty.call(message, "device_id") && message.device_id !== 0)
                writer.uint32(/* id 3, wireType 0 =*/24).int32(message.device_id);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a ProxyPsaAttestationToken message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.ProxyPsaAttestationToken
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.ProxyPsaAttestationToken & transport_protocol.ProxyPsaAttestationToken.$Shape} ProxyPsaAttestationToken
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        ProxyPsaAttestationToken.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.ProxyPsaAttestationToken();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.token = value;
                        else
                            delete message.token;
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.pubkey = value;
                        else
                            delete message.pubkey;
                        continue;
                    }
                case 3: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.int32())
                            message.device_id = value;
                        else
                            delete message.device_id;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return ProxyPsaAttestationToken;
    })();

    transport_protocol.CertChain = (function() {

        /**
         * Properties of a CertChain.
         * @typedef {Object} transport_protocol.CertChain.$Properties
         * @property {Uint8Array|null} [root_cert] CertChain root_cert
         * @property {Uint8Array|null} [enclave_cert] CertChain enclave_cert
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a CertChain.
         * @memberof transport_protocol
         * @interface ICertChain
         * @augments transport_protocol.CertChain.$Properties
         * @deprecated Use transport_protocol.CertChain.$Properties instead.
         */

        /**
         * Shape of a CertChain.
         * @typedef {transport_protocol.CertChain.$Properties} transport_protocol.CertChain.$Shape
         */

        /**
         * Constructs a new CertChain.
         * @memberof transport_protocol
         * @classdesc Represents a CertChain.
         * @constructor
         * @param {transport_protocol.CertChain.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const CertChain = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * CertChain root_cert.
         * @member {Uint8Array} root_cert
         * @memberof transport_protocol.CertChain
         * @instance
         */
        CertChain.prototype.root_cert = $util.newBuffer([]);

        /**
         * CertChain enclave_cert.
         * @member {Uint8Array} enclave_cert
         * @memberof transport_protocol.CertChain
         * @instance
         */
        CertChain.prototype.enclave_cert = $util.newBuffer([]);

        /**
         * Encodes the specified CertChain message. Does not implicitly {@link transport_protocol.CertChain.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.CertChain
         * @static
         * @param {transport_protocol.CertChain.$Properties} message CertChain message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        CertChain.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.root_cert != null && $Object.hasOwnProperty.call(message, "root_cert") && message.root_cert.length)
                writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.root_cert);
            if (message.enclave_cert != null && $Object.hasOwnProperty.call(message, "enclave_cert") && message.enclave_cert.length)
                writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.enclave_cert);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a CertChain message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.CertChain
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.CertChain & transport_protocol.CertChain.$Shape} CertChain
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        CertChain.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.CertChain();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.root_cert = value;
                        else
                            delete message.root_cert;
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.enclave_cert = value;
                        else
                            delete message.enclave_cert;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return CertChain;
    })();

    /**
     * ResponseStatus enum.
     * @name transport_protocol.ResponseStatus
     * @enum {number}
     * @property {number} UNSET=0 UNSET value
     * @property {number} SUCCESS=1 SUCCESS value
     * @property {number} FAILED_INVALID_ROLE=2 FAILED_INVALID_ROLE value
     * @property {number} FAILED_NOT_READY=3 FAILED_NOT_READY value
     * @property {number} FAILED_GENERIC=4 FAILED_GENERIC value
     * @property {number} FAILED_VM_ERROR=5 FAILED_VM_ERROR value
     * @property {number} FAILED_ERROR_CODE_RETURNED=6 FAILED_ERROR_CODE_RETURNED value
     * @property {number} FAILED_INVALID_REQUEST=7 FAILED_INVALID_REQUEST value
     */
    transport_protocol.ResponseStatus = (function() {
        const valuesById = $Object.create(null), values = $Object.create(valuesById);
        values[valuesById[0] = "UNSET"] = 0;
        values[valuesById[1] = "SUCCESS"] = 1;
        values[valuesById[2] = "FAILED_INVALID_ROLE"] = 2;
        values[valuesById[3] = "FAILED_NOT_READY"] = 3;
        values[valuesById[4] = "FAILED_GENERIC"] = 4;
        values[valuesById[5] = "FAILED_VM_ERROR"] = 5;
        values[valuesById[6] = "FAILED_ERROR_CODE_RETURNED"] = 6;
        values[valuesById[7] = "FAILED_INVALID_REQUEST"] = 7;
        return values;
    })();

    transport_protocol.ProxyAttestationServerRequest = (function() {

        /**
         * Properties of a ProxyAttestationServerRequest.
         * @typedef {Object} transport_protocol.ProxyAttestationServerRequest.$Properties
         * @property {number|null} [context] ProxyAttestationServerRequest context
         * @property {transport_protocol.StartMsg.$Properties|null} [start_msg] ProxyAttestationServerRequest start_msg
         * @property {transport_protocol.NativePsaAttestationToken.$Properties|null} [native_psa_attestation_token] ProxyAttestationServerRequest native_psa_attestation_token
         * @property {transport_protocol.ProxyPsaAttestationToken.$Properties|null} [proxy_psa_attestation_token] ProxyAttestationServerRequest proxy_psa_attestation_token
         * @property {transport_protocol.NitroAttestationDoc.$Properties|null} [nitro_attestation_doc] ProxyAttestationServerRequest nitro_attestation_doc
         * @property {"start_msg"|"native_psa_attestation_token"|"proxy_psa_attestation_token"|"nitro_attestation_doc"} [message_oneof] ProxyAttestationServerRequest message_oneof
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a ProxyAttestationServerRequest.
         * @memberof transport_protocol
         * @interface IProxyAttestationServerRequest
         * @augments transport_protocol.ProxyAttestationServerRequest.$Properties
         * @deprecated Use transport_protocol.ProxyAttestationServerRequest.$Properties instead.
         */

        /**
         * Narrowed shape of a ProxyAttestationServerRequest.
         * @typedef {{
         *   context?: number|null;
         *   start_msg?: transport_protocol.StartMsg.$Shape|null;
         *   native_psa_attestation_token?: transport_protocol.NativePsaAttestationToken.$Shape|null;
         *   proxy_psa_attestation_token?: transport_protocol.ProxyPsaAttestationToken.$Shape|null;
         *   nitro_attestation_doc?: transport_protocol.NitroAttestationDoc.$Shape|null;
         *   $unknowns?: Array.<Uint8Array>;
         * } & (
         *   ({ message_oneof?: undefined; start_msg?: null; native_psa_attestation_token?: null; proxy_psa_attestation_token?: null; nitro_attestation_doc?: null }|{ message_oneof?: "start_msg"; start_msg: transport_protocol.StartMsg.$Shape; native_psa_attestation_token?: null; proxy_psa_attestation_token?: null; nitro_attestation_doc?: null }|{ message_oneof?: "native_psa_attestation_token"; start_msg?: null; native_psa_attestation_token: transport_protocol.NativePsaAttestationToken.$Shape; proxy_psa_attestation_token?: null; nitro_attestation_doc?: null }|{ message_oneof?: "proxy_psa_attestation_token"; start_msg?: null; native_psa_attestation_token?: null; proxy_psa_attestation_token: transport_protocol.ProxyPsaAttestationToken.$Shape; nitro_attestation_doc?: null }|{ message_oneof?: "nitro_attestation_doc"; start_msg?: null; native_psa_attestation_token?: null; proxy_psa_attestation_token?: null; nitro_attestation_doc: transport_protocol.NitroAttestationDoc.$Shape })
         * )} transport_protocol.ProxyAttestationServerRequest.$Shape
         */

        /**
         * Constructs a new ProxyAttestationServerRequest.
         * @memberof transport_protocol
         * @classdesc Represents a ProxyAttestationServerRequest.
         * @constructor
         * @param {transport_protocol.ProxyAttestationServerRequest.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const ProxyAttestationServerRequest = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * ProxyAttestationServerRequest context.
         * @member {number} context
         * @memberof transport_protocol.ProxyAttestationServerRequest
         * @instance
         */
        ProxyAttestationServerRequest.prototype.context = 0;

        /**
         * ProxyAttestationServerRequest start_msg.
         * @member {transport_protocol.StartMsg.$Properties|null|undefined} start_msg
         * @memberof transport_protocol.ProxyAttestationServerRequest
         * @instance
         */
        ProxyAttestationServerRequest.prototype.start_msg = null;

        /**
         * ProxyAttestationServerRequest native_psa_attestation_token.
         * @member {transport_protocol.NativePsaAttestationToken.$Properties|null|undefined} native_psa_attestation_token
         * @memberof transport_protocol.ProxyAttestationServerRequest
         * @instance
         */
        ProxyAttestationServerRequest.prototype.native_psa_attestation_token = null;

        /**
         * ProxyAttestationServerRequest proxy_psa_attestation_token.
         * @member {transport_protocol.ProxyPsaAttestationToken.$Properties|null|undefined} proxy_psa_attestation_token
         * @memberof transport_protocol.ProxyAttestationServerRequest
         * @instance
         */
        ProxyAttestationServerRequest.prototype.proxy_psa_attestation_token = null;

        /**
         * ProxyAttestationServerRequest nitro_attestation_doc.
         * @member {transport_protocol.NitroAttestationDoc.$Properties|null|undefined} nitro_attestation_doc
         * @memberof transport_protocol.ProxyAttestationServerRequest
         * @instance
         */
        ProxyAttestationServerRequest.prototype.nitro_attestation_doc = null;

        // OneOf field names bound to virtual getters and setters
        let $oneOfFields;

        /**
         * ProxyAttestationServerRequest message_oneof.
         * @member {"start_msg"|"native_psa_attestation_token"|"proxy_psa_attestation_token"|"nitro_attestation_doc"|undefined} message_oneof
         * @memberof transport_protocol.ProxyAttestationServerRequest
         * @instance
         */
        $Object.defineProperty(ProxyAttestationServerRequest.prototype, "message_oneof", {
            get: $util.oneOfGetter($oneOfFields = ["start_msg", "native_psa_attestation_token", "proxy_psa_attestation_token", "nitro_attestation_doc"]),
            set: $util.oneOfSetter($oneOfFields)
        });

        /**
         * Encodes the specified ProxyAttestationServerRequest message. Does not implicitly {@link transport_protocol.ProxyAttestationServerRequest.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.ProxyAttestationServerRequest
         * @static
         * @param {transport_protocol.ProxyAttestationServerRequest.$Properties} message ProxyAttestationServerRequest message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        ProxyAttestationServerRequest.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.context != null && $Object.hasOwnProperty.call(message, "context") && message.context !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.context);
            if (message.start_msg != null && $Object.hasOwnProperty.call(message, "start_msg"))
                $root.transport_protocol.StartMsg.encode(message.start_msg, writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
            if (message.native_psa_attestation_token != null && $Object.hasOwnProperty.call(message, "native_psa_attestation_token"))
                $root.transport_protocol.NativePsaAttestationToken.encode(message.native_psa_attestation_token, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
            if (message.proxy_psa_attestation_token != null && $Object.hasOwnProperty.call(message, "proxy_psa_attestation_token"))
                $root.transport_protocol.ProxyPsaAttestationToken.encode(message.proxy_psa_attestation_token, writer.uint32(/* id 4, wireType 2 =*/34).fork(), _depth + 1).ldelim();
            if (message.nitro_attestation_doc != null && $Object.hasOwnProperty.call(message, "nitro_attestation_doc"))
                $root.transport_protocol.NitroAttestationDoc.encode(message.nitro_attestation_doc, writer.uint32(/* id 7, wireType 2 =*/58).fork(), _depth + 1).ldelim();
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a ProxyAttestationServerRequest message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.ProxyAttestationServerRequest
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.ProxyAttestationServerRequest & transport_protocol.ProxyAttestationServerRequest.$Shape} ProxyAttestationServerRequest
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        ProxyAttestationServerRequest.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.ProxyAttestationServerRequest();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.context = value;
                        else
                            delete message.context;
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        message.start_msg = $root.transport_protocol.StartMsg.decode(reader, reader.size(), $undefined, _depth + 1, message.start_msg);
                        message.message_oneof = "start_msg";
                        continue;
                    }
                case 3: {
                        if (wireType !== 2)
                            break;
                        message.native_psa_attestation_token = $root.transport_protocol.NativePsaAttestationToken.decode(reader, reader.size(), $undefined, _depth + 1, message.native_psa_attestation_token);
                        message.message_oneof = "native_psa_attestation_token";
                        continue;
                    }
                case 4: {
                        if (wireType !== 2)
                            break;
                        message.proxy_psa_attestation_token = $root.transport_protocol.ProxyPsaAttestationToken.decode(reader, reader.size(), $undefined, _depth + 1, message.proxy_psa_attestation_token);
                        message.message_oneof = "proxy_psa_attestation_token";
                        continue;
                    }
                case 7: {
                        if (wireType !== 2)
                            break;
                        message.nitro_attestation_doc = $root.transport_protocol.NitroAttestationDoc.decode(reader, reader.size(), $undefined, _depth + 1, message.nitro_attestation_doc);
                        message.message_oneof = "nitro_attestation_doc";
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return ProxyAttestationServerRequest;
    })();

    transport_protocol.ProxyAttestationServerResponse = (function() {

        /**
         * Properties of a ProxyAttestationServerResponse.
         * @typedef {Object} transport_protocol.ProxyAttestationServerResponse.$Properties
         * @property {number|null} [context] ProxyAttestationServerResponse context
         * @property {transport_protocol.PsaAttestationInit.$Properties|null} [psa_attestation_init] ProxyAttestationServerResponse psa_attestation_init
         * @property {transport_protocol.CertChain.$Properties|null} [cert_chain] ProxyAttestationServerResponse cert_chain
         * @property {"psa_attestation_init"|"cert_chain"} [message_oneof] ProxyAttestationServerResponse message_oneof
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a ProxyAttestationServerResponse.
         * @memberof transport_protocol
         * @interface IProxyAttestationServerResponse
         * @augments transport_protocol.ProxyAttestationServerResponse.$Properties
         * @deprecated Use transport_protocol.ProxyAttestationServerResponse.$Properties instead.
         */

        /**
         * Narrowed shape of a ProxyAttestationServerResponse.
         * @typedef {{
         *   context?: number|null;
         *   psa_attestation_init?: transport_protocol.PsaAttestationInit.$Shape|null;
         *   cert_chain?: transport_protocol.CertChain.$Shape|null;
         *   $unknowns?: Array.<Uint8Array>;
         * } & (
         *   ({ message_oneof?: undefined; psa_attestation_init?: null; cert_chain?: null }|{ message_oneof?: "psa_attestation_init"; psa_attestation_init: transport_protocol.PsaAttestationInit.$Shape; cert_chain?: null }|{ message_oneof?: "cert_chain"; psa_attestation_init?: null; cert_chain: transport_protocol.CertChain.$Shape })
         * )} transport_protocol.ProxyAttestationServerResponse.$Shape
         */

        /**
         * Constructs a new ProxyAttestationServerResponse.
         * @memberof transport_protocol
         * @classdesc Represents a ProxyAttestationServerResponse.
         * @constructor
         * @param {transport_protocol.ProxyAttestationServerResponse.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const ProxyAttestationServerResponse = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * ProxyAttestationServerResponse context.
         * @member {number} context
         * @memberof transport_protocol.ProxyAttestationServerResponse
         * @instance
         */
        ProxyAttestationServerResponse.prototype.context = 0;

        /**
         * ProxyAttestationServerResponse psa_attestation_init.
         * @member {transport_protocol.PsaAttestationInit.$Properties|null|undefined} psa_attestation_init
         * @memberof transport_protocol.ProxyAttestationServerResponse
         * @instance
         */
        ProxyAttestationServerResponse.prototype.psa_attestation_init = null;

        /**
         * ProxyAttestationServerResponse cert_chain.
         * @member {transport_protocol.CertChain.$Properties|null|undefined} cert_chain
         * @memberof transport_protocol.ProxyAttestationServerResponse
         * @instance
         */
        ProxyAttestationServerResponse.prototype.cert_chain = null;

        // OneOf field names bound to virtual getters and setters
        let $oneOfFields;

        /**
         * ProxyAttestationServerResponse message_oneof.
         * @member {"psa_attestation_init"|"cert_chain"|undefined} message_oneof
         * @memberof transport_protocol.ProxyAttestationServerResponse
         * @instance
         */
        $Object.defineProperty(ProxyAttestationServerResponse.prototype, "message_oneof", {
            get: $util.oneOfGetter($oneOfFields = ["psa_attestation_init", "cert_chain"]),
            set: $util.oneOfSetter($oneOfFields)
        });

        /**
         * Encodes the specified ProxyAttestationServerResponse message. Does not implicitly {@link transport_protocol.ProxyAttestationServerResponse.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.ProxyAttestationServerResponse
         * @static
         * @param {transport_protocol.ProxyAttestationServerResponse.$Properties} message ProxyAttestationServerResponse message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        ProxyAttestationServerResponse.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.context != null && $Object.hasOwnProperty.call(message, "context") && message.context !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.context);
            if (message.psa_attestation_init != null && $Object.hasOwnProperty.call(message, "psa_attestation_init"))
                $root.transport_protocol.PsaAttestationInit.encode(message.psa_attestation_init, writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
            if (message.cert_chain != null && $Object.hasOwnProperty.call(message, "cert_chain"))
                $root.transport_protocol.CertChain.encode(message.cert_chain, writer.uint32(/* id 5, wireType 2 =*/42).fork(), _depth + 1).ldelim();
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a ProxyAttestationServerResponse message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.ProxyAttestationServerResponse
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.ProxyAttestationServerResponse & transport_protocol.ProxyAttestationServerResponse.$Shape} ProxyAttestationServerResponse
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        ProxyAttestationServerResponse.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.ProxyAttestationServerResponse();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.context = value;
                        else
                            delete message.context;
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        message.psa_attestation_init = $root.transport_protocol.PsaAttestationInit.decode(reader, reader.size(), $undefined, _depth + 1, message.psa_attestation_init);
                        message.message_oneof = "psa_attestation_init";
                        continue;
                    }
                case 5: {
                        if (wireType !== 2)
                            break;
                        message.cert_chain = $root.transport_protocol.CertChain.decode(reader, reader.size(), $undefined, _depth + 1, message.cert_chain);
                        message.message_oneof = "cert_chain";
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return ProxyAttestationServerResponse;
    })();

    transport_protocol.RuntimeManagerRequest = (function() {

        /**
         * Properties of a RuntimeManagerRequest.
         * @typedef {Object} transport_protocol.RuntimeManagerRequest.$Properties
         * @property {number|null} [context] RuntimeManagerRequest context
         * @property {transport_protocol.Data.$Properties|null} [write_file] RuntimeManagerRequest write_file
         * @property {transport_protocol.Data.$Properties|null} [append_file] RuntimeManagerRequest append_file
         * @property {transport_protocol.RequestPiHash.$Properties|null} [request_pi_hash] RuntimeManagerRequest request_pi_hash
         * @property {transport_protocol.RequestResult.$Properties|null} [request_result] RuntimeManagerRequest request_result
         * @property {transport_protocol.RequestProxyPsaAttestationToken.$Properties|null} [request_proxy_psa_attestation_token] RuntimeManagerRequest request_proxy_psa_attestation_token
         * @property {transport_protocol.RequestShutdown.$Properties|null} [request_shutdown] RuntimeManagerRequest request_shutdown
         * @property {transport_protocol.PsaAttestationInit.$Properties|null} [psa_attestation_init] RuntimeManagerRequest psa_attestation_init
         * @property {transport_protocol.RequestPolicyHash.$Properties|null} [request_policy_hash] RuntimeManagerRequest request_policy_hash
         * @property {transport_protocol.Read.$Properties|null} [read_file] RuntimeManagerRequest read_file
         * @property {transport_protocol.RequestResult.$Properties|null} [request_pipeline] RuntimeManagerRequest request_pipeline
         * @property {"write_file"|"append_file"|"request_pi_hash"|"request_result"|"request_proxy_psa_attestation_token"|"request_shutdown"|"psa_attestation_init"|"request_policy_hash"|"read_file"|"request_pipeline"} [message_oneof] RuntimeManagerRequest message_oneof
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a RuntimeManagerRequest.
         * @memberof transport_protocol
         * @interface IRuntimeManagerRequest
         * @augments transport_protocol.RuntimeManagerRequest.$Properties
         * @deprecated Use transport_protocol.RuntimeManagerRequest.$Properties instead.
         */

        /**
         * Narrowed shape of a RuntimeManagerRequest.
         * @typedef {{
         *   context?: number|null;
         *   write_file?: transport_protocol.Data.$Shape|null;
         *   append_file?: transport_protocol.Data.$Shape|null;
         *   request_pi_hash?: transport_protocol.RequestPiHash.$Shape|null;
         *   request_result?: transport_protocol.RequestResult.$Shape|null;
         *   request_proxy_psa_attestation_token?: transport_protocol.RequestProxyPsaAttestationToken.$Shape|null;
         *   request_shutdown?: transport_protocol.RequestShutdown.$Shape|null;
         *   psa_attestation_init?: transport_protocol.PsaAttestationInit.$Shape|null;
         *   request_policy_hash?: transport_protocol.RequestPolicyHash.$Shape|null;
         *   read_file?: transport_protocol.Read.$Shape|null;
         *   request_pipeline?: transport_protocol.RequestResult.$Shape|null;
         *   $unknowns?: Array.<Uint8Array>;
         * } & (
         *   ({ message_oneof?: undefined; write_file?: null; append_file?: null; request_pi_hash?: null; request_result?: null; request_proxy_psa_attestation_token?: null; request_shutdown?: null; psa_attestation_init?: null; request_policy_hash?: null; read_file?: null; request_pipeline?: null }|{ message_oneof?: "write_file"; write_file: transport_protocol.Data.$Shape; append_file?: null; request_pi_hash?: null; request_result?: null; request_proxy_psa_attestation_token?: null; request_shutdown?: null; psa_attestation_init?: null; request_policy_hash?: null; read_file?: null; request_pipeline?: null }|{ message_oneof?: "append_file"; write_file?: null; append_file: transport_protocol.Data.$Shape; request_pi_hash?: null; request_result?: null; request_proxy_psa_attestation_token?: null; request_shutdown?: null; psa_attestation_init?: null; request_policy_hash?: null; read_file?: null; request_pipeline?: null }|{ message_oneof?: "request_pi_hash"; write_file?: null; append_file?: null; request_pi_hash: transport_protocol.RequestPiHash.$Shape; request_result?: null; request_proxy_psa_attestation_token?: null; request_shutdown?: null; psa_attestation_init?: null; request_policy_hash?: null; read_file?: null; request_pipeline?: null }|{ message_oneof?: "request_result"; write_file?: null; append_file?: null; request_pi_hash?: null; request_result: transport_protocol.RequestResult.$Shape; request_proxy_psa_attestation_token?: null; request_shutdown?: null; psa_attestation_init?: null; request_policy_hash?: null; read_file?: null; request_pipeline?: null }|{ message_oneof?: "request_proxy_psa_attestation_token"; write_file?: null; append_file?: null; request_pi_hash?: null; request_result?: null; request_proxy_psa_attestation_token: transport_protocol.RequestProxyPsaAttestationToken.$Shape; request_shutdown?: null; psa_attestation_init?: null; request_policy_hash?: null; read_file?: null; request_pipeline?: null }|{ message_oneof?: "request_shutdown"; write_file?: null; append_file?: null; request_pi_hash?: null; request_result?: null; request_proxy_psa_attestation_token?: null; request_shutdown: transport_protocol.RequestShutdown.$Shape; psa_attestation_init?: null; request_policy_hash?: null; read_file?: null; request_pipeline?: null }|{ message_oneof?: "psa_attestation_init"; write_file?: null; append_file?: null; request_pi_hash?: null; request_result?: null; request_proxy_psa_attestation_token?: null; request_shutdown?: null; psa_attestation_init: transport_protocol.PsaAttestationInit.$Shape; request_policy_hash?: null; read_file?: null; request_pipeline?: null }|{ message_oneof?: "request_policy_hash"; write_file?: null; append_file?: null; request_pi_hash?: null; request_result?: null; request_proxy_psa_attestation_token?: null; request_shutdown?: null; psa_attestation_init?: null; request_policy_hash: transport_protocol.RequestPolicyHash.$Shape; read_file?: null; request_pipeline?: null }|{ message_oneof?: "read_file"; write_file?: null; append_file?: null; request_pi_hash?: null; request_result?: null; request_proxy_psa_attestation_token?: null; request_shutdown?: null; psa_attestation_init?: null; request_policy_hash?: null; read_file: transport_protocol.Read.$Shape; request_pipeline?: null }|{ message_oneof?: "request_pipeline"; write_file?: null; append_file?: null; request_pi_hash?: null; request_result?: null; request_proxy_psa_attestation_token?: null; request_shutdown?: null; psa_attestation_init?: null; request_policy_hash?: null; read_file?: null; request_pipeline: transport_protocol.RequestResult.$Shape })
         * )} transport_protocol.RuntimeManagerRequest.$Shape
         */

        /**
         * Constructs a new RuntimeManagerRequest.
         * @memberof transport_protocol
         * @classdesc Represents a RuntimeManagerRequest.
         * @constructor
         * @param {transport_protocol.RuntimeManagerRequest.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const RuntimeManagerRequest = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * RuntimeManagerRequest context.
         * @member {number} context
         * @memberof transport_protocol.RuntimeManagerRequest
         * @instance
         */
        RuntimeManagerRequest.prototype.context = 0;

        /**
         * RuntimeManagerRequest write_file.
         * @member {transport_protocol.Data.$Properties|null|undefined} write_file
         * @memberof transport_protocol.RuntimeManagerRequest
         * @instance
         */
        RuntimeManagerRequest.prototype.write_file = null;

        /**
         * RuntimeManagerRequest append_file.
         * @member {transport_protocol.Data.$Properties|null|undefined} append_file
         * @memberof transport_protocol.RuntimeManagerRequest
         * @instance
         */
        RuntimeManagerRequest.prototype.append_file = null;

        /**
         * RuntimeManagerRequest request_pi_hash.
         * @member {transport_protocol.RequestPiHash.$Properties|null|undefined} request_pi_hash
         * @memberof transport_protocol.RuntimeManagerRequest
         * @instance
         */
        RuntimeManagerRequest.prototype.request_pi_hash = null;

        /**
         * RuntimeManagerRequest request_result.
         * @member {transport_protocol.RequestResult.$Properties|null|undefined} request_result
         * @memberof transport_protocol.RuntimeManagerRequest
         * @instance
         */
        RuntimeManagerRequest.prototype.request_result = null;

        /**
         * RuntimeManagerRequest request_proxy_psa_attestation_token.
         * @member {transport_protocol.RequestProxyPsaAttestationToken.$Properties|null|undefined} request_proxy_psa_attestation_token
         * @memberof transport_protocol.RuntimeManagerRequest
         * @instance
         */
        RuntimeManagerRequest.prototype.request_proxy_psa_attestation_token = null;

        /**
         * RuntimeManagerRequest request_shutdown.
         * @member {transport_protocol.RequestShutdown.$Properties|null|undefined} request_shutdown
         * @memberof transport_protocol.RuntimeManagerRequest
         * @instance
         */
        RuntimeManagerRequest.prototype.request_shutdown = null;

        /**
         * RuntimeManagerRequest psa_attestation_init.
         * @member {transport_protocol.PsaAttestationInit.$Properties|null|undefined} psa_attestation_init
         * @memberof transport_protocol.RuntimeManagerRequest
         * @instance
         */
        RuntimeManagerRequest.prototype.psa_attestation_init = null;

        /**
         * RuntimeManagerRequest request_policy_hash.
         * @member {transport_protocol.RequestPolicyHash.$Properties|null|undefined} request_policy_hash
         * @memberof transport_protocol.RuntimeManagerRequest
         * @instance
         */
        RuntimeManagerRequest.prototype.request_policy_hash = null;

        /**
         * RuntimeManagerRequest read_file.
         * @member {transport_protocol.Read.$Properties|null|undefined} read_file
         * @memberof transport_protocol.RuntimeManagerRequest
         * @instance
         */
        RuntimeManagerRequest.prototype.read_file = null;

        /**
         * RuntimeManagerRequest request_pipeline.
         * @member {transport_protocol.RequestResult.$Properties|null|undefined} request_pipeline
         * @memberof transport_protocol.RuntimeManagerRequest
         * @instance
         */
        RuntimeManagerRequest.prototype.request_pipeline = null;

        // OneOf field names bound to virtual getters and setters
        let $oneOfFields;

        /**
         * RuntimeManagerRequest message_oneof.
         * @member {"write_file"|"append_file"|"request_pi_hash"|"request_result"|"request_proxy_psa_attestation_token"|"request_shutdown"|"psa_attestation_init"|"request_policy_hash"|"read_file"|"request_pipeline"|undefined} message_oneof
         * @memberof transport_protocol.RuntimeManagerRequest
         * @instance
         */
        $Object.defineProperty(RuntimeManagerRequest.prototype, "message_oneof", {
            get: $util.oneOfGetter($oneOfFields = ["write_file", "append_file", "request_pi_hash", "request_result", "request_proxy_psa_attestation_token", "request_shutdown", "psa_attestation_init", "request_policy_hash", "read_file", "request_pipeline"]),
            set: $util.oneOfSetter($oneOfFields)
        });

        /**
         * Encodes the specified RuntimeManagerRequest message. Does not implicitly {@link transport_protocol.RuntimeManagerRequest.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.RuntimeManagerRequest
         * @static
         * @param {transport_protocol.RuntimeManagerRequest.$Properties} message RuntimeManagerRequest message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        RuntimeManagerRequest.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.context != null && $Object.hasOwnProperty.call(message, "context") && message.context !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.context);
            if (message.write_file != null && $Object.hasOwnProperty.call(message, "write_file"))
                $root.transport_protocol.Data.encode(message.write_file, writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
            if (message.append_file != null && $Object.hasOwnProperty.call(message, "append_file"))
                $root.transport_protocol.Data.encode(message.append_file, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
            if (message.request_pi_hash != null && $Object.hasOwnProperty.call(message, "request_pi_hash"))
                $root.transport_protocol.RequestPiHash.encode(message.request_pi_hash, writer.uint32(/* id 4, wireType 2 =*/34).fork(), _depth + 1).ldelim();
            if (message.request_result != null && $Object.hasOwnProperty.call(message, "request_result"))
                $root.transport_protocol.RequestResult.encode(message.request_result, writer.uint32(/* id 5, wireType 2 =*/42).fork(), _depth + 1).ldelim();
            if (message.request_proxy_psa_attestation_token != null && $Object.hasOwnProperty.call(message, "request_proxy_psa_attestation_token"))
                $root.transport_protocol.RequestProxyPsaAttestationToken.encode(message.request_proxy_psa_attestation_token, writer.uint32(/* id 6, wireType 2 =*/50).fork(), _depth + 1).ldelim();
            if (message.request_shutdown != null && $Object.hasOwnProperty.call(message, "request_shutdown"))
                $root.transport_protocol.RequestShutdown.encode(message.request_shutdown, writer.uint32(/* id 8, wireType 2 =*/66).fork(), _depth + 1).ldelim();
            if (message.psa_attestation_init != null && $Object.hasOwnProperty.call(message, "psa_attestation_init"))
                $root.transport_protocol.PsaAttestationInit.encode(message.psa_attestation_init, writer.uint32(/* id 9, wireType 2 =*/74).fork(), _depth + 1).ldelim();
            if (message.request_policy_hash != null && $Object.hasOwnProperty.call(message, "request_policy_hash"))
                $root.transport_protocol.RequestPolicyHash.encode(message.request_policy_hash, writer.uint32(/* id 10, wireType 2 =*/82).fork(), _depth + 1).ldelim();
            if (message.read_file != null && $Object.hasOwnProperty.call(message, "read_file"))
                $root.transport_protocol.Read.encode(message.read_file, writer.uint32(/* id 11, wireType 2 =*/90).fork(), _depth + 1).ldelim();
            if (message.request_pipeline != null && $Object.hasOwnProperty.call(message, "request_pipeline"))
                $root.transport_protocol.RequestResult.encode(message.request_pipeline, writer.uint32(/* id 12, wireType 2 =*/98).fork(), _depth + 1).ldelim();
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a RuntimeManagerRequest message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.RuntimeManagerRequest
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.RuntimeManagerRequest & transport_protocol.RuntimeManagerRequest.$Shape} RuntimeManagerRequest
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        RuntimeManagerRequest.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.RuntimeManagerRequest();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.context = value;
                        else
                            delete message.context;
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        message.write_file = $root.transport_protocol.Data.decode(reader, reader.size(), $undefined, _depth + 1, message.write_file);
                        message.message_oneof = "write_file";
                        continue;
                    }
                case 3: {
                        if (wireType !== 2)
                            break;
                        message.append_file = $root.transport_protocol.Data.decode(reader, reader.size(), $undefined, _depth + 1, message.append_file);
                        message.message_oneof = "append_file";
                        continue;
                    }
                case 4: {
                        if (wireType !== 2)
                            break;
                        message.request_pi_hash = $root.transport_protocol.RequestPiHash.decode(reader, reader.size(), $undefined, _depth + 1, message.request_pi_hash);
                        message.message_oneof = "request_pi_hash";
                        continue;
                    }
                case 5: {
                        if (wireType !== 2)
                            break;
                        message.request_result = $root.transport_protocol.RequestResult.decode(reader, reader.size(), $undefined, _depth + 1, message.request_result);
                        message.message_oneof = "request_result";
                        continue;
                    }
                case 6: {
                        if (wireType !== 2)
                            break;
                        message.request_proxy_psa_attestation_token = $root.transport_protocol.RequestProxyPsaAttestationToken.decode(reader, reader.size(), $undefined, _depth + 1, message.request_proxy_psa_attestation_token);
                        message.message_oneof = "request_proxy_psa_attestation_token";
                        continue;
                    }
                case 8: {
                        if (wireType !== 2)
                            break;
                        message.request_shutdown = $root.transport_protocol.RequestShutdown.decode(reader, reader.size(), $undefined, _depth + 1, message.request_shutdown);
                        message.message_oneof = "request_shutdown";
                        continue;
                    }
                case 9: {
                        if (wireType !== 2)
                            break;
                        message.psa_attestation_init = $root.transport_protocol.PsaAttestationInit.decode(reader, reader.size(), $undefined, _depth + 1, message.psa_attestation_init);
                        message.message_oneof = "psa_attestation_init";
                        continue;
                    }
                case 10: {
                        if (wireType !== 2)
                            break;
                        message.request_policy_hash = $root.transport_protocol.RequestPolicyHash.decode(reader, reader.size(), $undefined, _depth + 1, message.request_policy_hash);
                        message.message_oneof = "request_policy_hash";
                        continue;
                    }
                case 11: {
                        if (wireType !== 2)
                            break;
                        message.read_file = $root.transport_protocol.Read.decode(reader, reader.size(), $undefined, _depth + 1, message.read_file);
                        message.message_oneof = "read_file";
                        continue;
                    }
                case 12: {
                        if (wireType !== 2)
                            break;
                        message.request_pipeline = $root.transport_protocol.RequestResult.decode(reader, reader.size(), $undefined, _depth + 1, message.request_pipeline);
                        message.message_oneof = "request_pipeline";
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return RuntimeManagerRequest;
    })();

    transport_protocol.RuntimeManagerResponse = (function() {

        /**
         * Properties of a RuntimeManagerResponse.
         * @typedef {Object} transport_protocol.RuntimeManagerResponse.$Properties
         * @property {transport_protocol.ResponseStatus|null} [status] RuntimeManagerResponse status
         * @property {number|null} [context] RuntimeManagerResponse context
         * @property {transport_protocol.Result.$Properties|null} [result] RuntimeManagerResponse result
         * @property {transport_protocol.PiHash.$Properties|null} [pi_hash] RuntimeManagerResponse pi_hash
         * @property {transport_protocol.ErrorCode.$Properties|null} [error] RuntimeManagerResponse error
         * @property {transport_protocol.State.$Properties|null} [state] RuntimeManagerResponse state
         * @property {transport_protocol.PolicyHash.$Properties|null} [policy_hash] RuntimeManagerResponse policy_hash
         * @property {transport_protocol.Cert.$Properties|null} [cert] RuntimeManagerResponse cert
         * @property {"result"|"pi_hash"|"error"|"state"|"policy_hash"|"cert"} [message_oneof] RuntimeManagerResponse message_oneof
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a RuntimeManagerResponse.
         * @memberof transport_protocol
         * @interface IRuntimeManagerResponse
         * @augments transport_protocol.RuntimeManagerResponse.$Properties
         * @deprecated Use transport_protocol.RuntimeManagerResponse.$Properties instead.
         */

        /**
         * Narrowed shape of a RuntimeManagerResponse.
         * @typedef {{
         *   status?: transport_protocol.ResponseStatus|null;
         *   context?: number|null;
         *   result?: transport_protocol.Result.$Shape|null;
         *   pi_hash?: transport_protocol.PiHash.$Shape|null;
         *   error?: transport_protocol.ErrorCode.$Shape|null;
         *   state?: transport_protocol.State.$Shape|null;
         *   policy_hash?: transport_protocol.PolicyHash.$Shape|null;
         *   cert?: transport_protocol.Cert.$Shape|null;
         *   $unknowns?: Array.<Uint8Array>;
         * } & (
         *   ({ message_oneof?: undefined; result?: null; pi_hash?: null; error?: null; state?: null; policy_hash?: null; cert?: null }|{ message_oneof?: "result"; result: transport_protocol.Result.$Shape; pi_hash?: null; error?: null; state?: null; policy_hash?: null; cert?: null }|{ message_oneof?: "pi_hash"; result?: null; pi_hash: transport_protocol.PiHash.$Shape; error?: null; state?: null; policy_hash?: null; cert?: null }|{ message_oneof?: "error"; result?: null; pi_hash?: null; error: transport_protocol.ErrorCode.$Shape; state?: null; policy_hash?: null; cert?: null }|{ message_oneof?: "state"; result?: null; pi_hash?: null; error?: null; state: transport_protocol.State.$Shape; policy_hash?: null; cert?: null }|{ message_oneof?: "policy_hash"; result?: null; pi_hash?: null; error?: null; state?: null; policy_hash: transport_protocol.PolicyHash.$Shape; cert?: null }|{ message_oneof?: "cert"; result?: null; pi_hash?: null; error?: null; state?: null; policy_hash?: null; cert: transport_protocol.Cert.$Shape })
         * )} transport_protocol.RuntimeManagerResponse.$Shape
         */

        /**
         * Constructs a new RuntimeManagerResponse.
         * @memberof transport_protocol
         * @classdesc Represents a RuntimeManagerResponse.
         * @constructor
         * @param {transport_protocol.RuntimeManagerResponse.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const RuntimeManagerResponse = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * RuntimeManagerResponse status.
         * @member {transport_protocol.ResponseStatus} status
         * @memberof transport_protocol.RuntimeManagerResponse
         * @instance
         */
        RuntimeManagerResponse.prototype.status = 0;

        /**
         * RuntimeManagerResponse context.
         * @member {number} context
         * @memberof transport_protocol.RuntimeManagerResponse
         * @instance
         */
        RuntimeManagerResponse.prototype.context = 0;

        /**
         * RuntimeManagerResponse result.
         * @member {transport_protocol.Result.$Properties|null|undefined} result
         * @memberof transport_protocol.RuntimeManagerResponse
         * @instance
         */
        RuntimeManagerResponse.prototype.result = null;

        /**
         * RuntimeManagerResponse pi_hash.
         * @member {transport_protocol.PiHash.$Properties|null|undefined} pi_hash
         * @memberof transport_protocol.RuntimeManagerResponse
         * @instance
         */
        RuntimeManagerResponse.prototype.pi_hash = null;

        /**
         * RuntimeManagerResponse error.
         * @member {transport_protocol.ErrorCode.$Properties|null|undefined} error
         * @memberof transport_protocol.RuntimeManagerResponse
         * @instance
         */
        RuntimeManagerResponse.prototype.error = null;

        /**
         * RuntimeManagerResponse state.
         * @member {transport_protocol.State.$Properties|null|undefined} state
         * @memberof transport_protocol.RuntimeManagerResponse
         * @instance
         */
        RuntimeManagerResponse.prototype.state = null;

        /**
         * RuntimeManagerResponse policy_hash.
         * @member {transport_protocol.PolicyHash.$Properties|null|undefined} policy_hash
         * @memberof transport_protocol.RuntimeManagerResponse
         * @instance
         */
        RuntimeManagerResponse.prototype.policy_hash = null;

        /**
         * RuntimeManagerResponse cert.
         * @member {transport_protocol.Cert.$Properties|null|undefined} cert
         * @memberof transport_protocol.RuntimeManagerResponse
         * @instance
         */
        RuntimeManagerResponse.prototype.cert = null;

        // OneOf field names bound to virtual getters and setters
        let $oneOfFields;

        /**
         * RuntimeManagerResponse message_oneof.
         * @member {"result"|"pi_hash"|"error"|"state"|"policy_hash"|"cert"|undefined} message_oneof
         * @memberof transport_protocol.RuntimeManagerResponse
         * @instance
         */
        $Object.defineProperty(RuntimeManagerResponse.prototype, "message_oneof", {
            get: $util.oneOfGetter($oneOfFields = ["result", "pi_hash", "error", "state", "policy_hash", "cert"]),
            set: $util.oneOfSetter($oneOfFields)
        });

        /**
         * Encodes the specified RuntimeManagerResponse message. Does not implicitly {@link transport_protocol.RuntimeManagerResponse.verify|verify} messages.
         * @function encode
         * @memberof transport_protocol.RuntimeManagerResponse
         * @static
         * @param {transport_protocol.RuntimeManagerResponse.$Properties} message RuntimeManagerResponse message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        RuntimeManagerResponse.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.status != null && $Object.hasOwnProperty.call(message, "status") && message.status !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).int32(message.status);
            if (message.result != null && $Object.hasOwnProperty.call(message, "result"))
                $root.transport_protocol.Result.encode(message.result, writer.uint32(/* id 4, wireType 2 =*/34).fork(), _depth + 1).ldelim();
            if (message.pi_hash != null && $Object.hasOwnProperty.call(message, "pi_hash"))
                $root.transport_protocol.PiHash.encode(message.pi_hash, writer.uint32(/* id 5, wireType 2 =*/42).fork(), _depth + 1).ldelim();
            if (message.error != null && $Object.hasOwnProperty.call(message, "error"))
                $root.transport_protocol.ErrorCode.encode(message.error, writer.uint32(/* id 6, wireType 2 =*/50).fork(), _depth + 1).ldelim();
            if (message.context != null && $Object.hasOwnProperty.call(message, "context") && message.context !== 0)
                writer.uint32(/* id 8, wireType 0 =*/64).uint32(message.context);
            if (message.state != null && $Object.hasOwnProperty.call(message, "state"))
                $root.transport_protocol.State.encode(message.state, writer.uint32(/* id 10, wireType 2 =*/82).fork(), _depth + 1).ldelim();
            if (message.policy_hash != null && $Object.hasOwnProperty.call(message, "policy_hash"))
                $root.transport_protocol.PolicyHash.encode(message.policy_hash, writer.uint32(/* id 11, wireType 2 =*/90).fork(), _depth + 1).ldelim();
            if (message.cert != null && $Object.hasOwnProperty.call(message, "cert"))
                $root.transport_protocol.Cert.encode(message.cert, writer.uint32(/* id 12, wireType 2 =*/98).fork(), _depth + 1).ldelim();
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a RuntimeManagerResponse message from the specified reader or buffer.
         * @function decode
         * @memberof transport_protocol.RuntimeManagerResponse
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {transport_protocol.RuntimeManagerResponse & transport_protocol.RuntimeManagerResponse.$Shape} RuntimeManagerResponse
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        RuntimeManagerResponse.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.transport_protocol.RuntimeManagerResponse();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.int32())
                            message.status = value;
                        else
                            delete message.status;
                        continue;
                    }
                case 8: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.context = value;
                        else
                            delete message.context;
                        continue;
                    }
                case 4: {
                        if (wireType !== 2)
                            break;
                        message.result = $root.transport_protocol.Result.decode(reader, reader.size(), $undefined, _depth + 1, message.result);
                        message.message_oneof = "result";
                        continue;
                    }
                case 5: {
                        if (wireType !== 2)
                            break;
                        message.pi_hash = $root.transport_protocol.PiHash.decode(reader, reader.size(), $undefined, _depth + 1, message.pi_hash);
                        message.message_oneof = "pi_hash";
                        continue;
                    }
                case 6: {
                        if (wireType !== 2)
                            break;
                        message.error = $root.transport_protocol.ErrorCode.decode(reader, reader.size(), $undefined, _depth + 1, message.error);
                        message.message_oneof = "error";
                        continue;
                    }
                case 10: {
                        if (wireType !== 2)
                            break;
                        message.state = $root.transport_protocol.State.decode(reader, reader.size(), $undefined, _depth + 1, message.state);
                        message.message_oneof = "state";
                        continue;
                    }
                case 11: {
                        if (wireType !== 2)
                            break;
                        message.policy_hash = $root.transport_protocol.PolicyHash.decode(reader, reader.size(), $undefined, _depth + 1, message.policy_hash);
                        message.message_oneof = "policy_hash";
                        continue;
                    }
                case 12: {
                        if (wireType !== 2)
                            break;
                        message.cert = $root.transport_protocol.Cert.decode(reader, reader.size(), $undefined, _depth + 1, message.cert);
                        message.message_oneof = "cert";
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return RuntimeManagerResponse;
    })();

    return transport_protocol;
})();

export {
  $root as default
};
