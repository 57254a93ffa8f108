"""Keras, `model.fit`. Variants: `tensorflow`, `jax` (the backend)."""

import os
import time

from common import BATCH, EPOCHS, IMAGES, PARAMETERS, THREADS, VARIANT, WARM_UP, Lines, pin

os.environ["KERAS_BACKEND"] = VARIANT
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
# JAX takes a thread for each processor that it may use, and TensorFlow more than it is told.
pin()
if VARIANT == "tensorflow":
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(THREADS)
    backend = f"TensorFlow {tf.__version__}"
else:
    import jax

    backend = f"JAX {jax.__version__}"

import keras
import numpy as np
from keras import layers

lines = Lines(f"keras-{VARIANT}", f"Keras {keras.__version__} on {backend}")
x, y, x_test, y_test = lines.data(28, 28, 1)
model = keras.Sequential([
    keras.Input((28, 28, 1)),
    layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2),
    layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2),
    layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(10, activation="softmax"),
])
assert model.count_params() == PARAMETERS
model.compile(optimizer=keras.optimizers.Adam(0.001), loss="sparse_categorical_crossentropy",
              metrics=["accuracy"])


class FirstStep(keras.callbacks.Callback):
    done = False

    def on_train_batch_end(self, batch, logs=None):
        if not self.done:
            self.done = True
            lines.first_step()


class Epochs(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.start)


fit = dict(batch_size=BATCH, shuffle=True, verbose=0)
model.fit(x[:WARM_UP], y[:WARM_UP], epochs=1, callbacks=[FirstStep()], **fit)
epochs = Epochs()
model.fit(x[:IMAGES], y[:IMAGES], epochs=EPOCHS, callbacks=[epochs], **fit)
lines.trained(epochs.seconds)

test = dict(verbose=0)
lines.classified(lambda batch: model.evaluate(x_test, y_test, batch_size=batch, **test),
                 repetitions=5, api="evaluate")
lines.classified(lambda batch: model.predict(x_test, batch_size=batch, **test).argmax(1),
                 repetitions=5, api="predict")

# `predict` and calling the model take milliseconds for one image; these are the fast ways.
if VARIANT == "tensorflow":
    call = tf.function(lambda images: model(images, training=False))
    lines.latency(lambda i: call(tf.constant(x_test[i:i + 1])).numpy(), 1000, api="tf.function")
else:
    trained = [v.value for v in model.trainable_variables]
    others = [v.value for v in model.non_trainable_variables]
    call = jax.jit(lambda a, b, images: model.stateless_call(a, b, images, training=False)[0])
    lines.latency(lambda i: np.asarray(call(trained, others, x_test[i:i + 1])), 1000, api="jax.jit")
