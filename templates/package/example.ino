// Runs the neural network @NAME@, compiled by skipc @VERSION@, once a second, and prints how long it took and what came out.
// The inputs are zeros: put yours there.
#include <@NAME@.h>

static uint8_t arena[@UPPER@_ARENA_SIZE] __attribute__((aligned(64)));
static uint8_t prepared[@UPPER@_PREPARED_SIZE + 1] __attribute__((aligned(64))); // + 1: the size may be 0
@BUFFERS@
static struct @NAME@ net;

void setup()
{
	Serial.begin(115200);
	const int status = @NAME@_init(&net, prepared, NULL);
	if (status != 0)
		Serial.println(@NAME@_error(status));
}

void loop()
{
	const unsigned long start = micros();
	const int status = @NAME@_run(&net, @ARGUMENTS@arena);
	const unsigned long took = micros() - start;

	if (status != 0)
		Serial.println(@NAME@_error(status));
	Serial.print(took);
	Serial.print(" us:");
	for (unsigned k = 0; k < @UPPER@_OUTPUT0_COUNT && k < 10; k++) {
		Serial.print(" ");
		Serial.print((double)output0[k]);
	}
	Serial.println();
	delay(1000);
}
