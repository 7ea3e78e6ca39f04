/* What onnx.c, wire.c and payload.c share; nothing else knows protobuf. */
#ifndef ONNX_H
#define ONNX_H

#include "core/skipc.h"

#include "compiler/import/onnx.pb-c.h"

#include <nettle/sha2.h>

/* A file of external data, opened once; data null: it could not be, and that was reported. */
struct external {
	const char *location, *path;
	struct file file;
	struct external *next;
};

/* What reading a model or a tensor needs. */
struct reader {
	struct arena *arena;
	struct diag *diag;
	const char *path;          /* as the user gave it */
	struct external *external; /* the files opened so far */
	struct sha256_ctx hash;    /* of the model's bytes, and of those files behind them */
};

/* ---- wire.c: the bytes, before protobuf-c sees them ---- */

/* True if the bytes are a well-formed message of that type, whose depth, counts and cost in memory
 * are bounded. */
bool wire_check(struct diag *d, const struct file *f, const ProtobufCMessageDescriptor *message);

/* ---- payload.c: a tensor and its elements ---- */

/* Elements stay where protobuf-c or a mapping has them whenever they already are as struct tensor
 * wants them. A type that skipc has not: DT_NONE, and data is the type's name. Null: reported. */
struct tensor *payload_tensor(struct reader *r, const Onnx__TensorProto *p);

#endif
