/* SPDX-License-Identifier: MIT
 * Constructor ids of MTProto itself. https://core.telegram.org/schema/mtproto
 * Values above INT_MAX make this an unsigned enum (a GNU extension until C23). */
#ifndef TGREST_MTPROTO_IDS_H
#define TGREST_MTPROTO_IDS_H

enum mtproto_id {
    /* Creation of an auth key. */
    MT_REQ_PQ = 0x60469778,
    MT_REQ_PQ_MULTI = 0xbe7e8ef1,
    MT_RES_PQ = 0x05162463,
    MT_P_Q_INNER_DATA = 0x83c95aec,
    MT_P_Q_INNER_DATA_DC = 0xa9f55f95,
    MT_P_Q_INNER_DATA_TEMP = 0x3c6a84d4,
    MT_P_Q_INNER_DATA_TEMP_DC = 0x56fddf88,
    MT_REQ_DH_PARAMS = 0xd712e4be,
    MT_SERVER_DH_PARAMS_FAIL = 0x79cb045d,
    MT_SERVER_DH_PARAMS_OK = 0xd0e8075c,
    MT_SERVER_DH_INNER_DATA = 0xb5890dba,
    MT_CLIENT_DH_INNER_DATA = 0x6643b654,
    MT_SET_CLIENT_DH_PARAMS = 0xf5045f1f,
    MT_DH_GEN_OK = 0x3bcbf734,
    MT_DH_GEN_RETRY = 0x46dc1fb9,
    MT_DH_GEN_FAIL = 0xa69dae02,
    MT_DESTROY_AUTH_KEY = 0xd1435160,
    MT_DESTROY_AUTH_KEY_OK = 0xf660e1d4,
    MT_DESTROY_AUTH_KEY_NONE = 0x0a9f2259,
    MT_DESTROY_AUTH_KEY_FAIL = 0xea109b13,

    /* Messages around messages. */
    MT_MSG_CONTAINER = 0x73f1f8dc,
    MT_GZIP_PACKED = 0x3072cfa1,

    /* Answers to calls. */
    MT_RPC_RESULT = 0xf35c6d01,
    MT_RPC_ERROR = 0x2144ca19,
    MT_RPC_DROP_ANSWER = 0x58e4a740,
    MT_RPC_ANSWER_UNKNOWN = 0x5e2ad36e,
    MT_RPC_ANSWER_DROPPED_RUNNING = 0xcd78e586,
    MT_RPC_ANSWER_DROPPED = 0xa43ad8b7,

    /* Acknowledgements, state, notices of error. */
    MT_MSGS_ACK = 0x62d6b459,
    MT_BAD_MSG_NOTIFICATION = 0xa7eff811,
    MT_BAD_SERVER_SALT = 0xedab447b,
    MT_MSGS_STATE_REQ = 0xda69fb52,
    MT_MSGS_STATE_INFO = 0x04deb57d,
    MT_MSGS_ALL_INFO = 0x8cc0d131,
    MT_MSG_DETAILED_INFO = 0x276d3ec6,
    MT_MSG_NEW_DETAILED_INFO = 0x809db6df,
    MT_MSG_RESEND_REQ = 0x7d861a08,
    MT_MSG_RESEND_ANS_REQ = 0x8610baeb,

    /* Salts, sessions, keep-alive. */
    MT_GET_FUTURE_SALTS = 0xb921bd04,
    MT_FUTURE_SALTS = 0xae500895,
    MT_NEW_SESSION_CREATED = 0x9ec20908,
    MT_DESTROY_SESSION = 0xe7512126,
    MT_DESTROY_SESSION_OK = 0xe22045fc,
    MT_DESTROY_SESSION_NONE = 0x62d350c9,
    MT_PING = 0x7abe77ec,
    MT_PING_DELAY_DISCONNECT = 0xf3427b8c,
    MT_PONG = 0x347773c5,
    MT_HTTP_WAIT = 0x9299359f,
};

#endif
