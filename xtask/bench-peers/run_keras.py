"""Keras, `model.fit`. Variants: `tensorflow`, `jax` (the backend).

The networks are those of `xtask/cross-check/networks.py`, as one writes them in Keras: where a side is
halved, its padding "same" is at other edges than PyTorch's.
"""

import os
import sys

from common import BATCH, CHANNELS, NETWORK, PARAMETERS, SIDE, THREADS, VARIANT, Lines, pin

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


def conv(x, width: int, kernel: int = 3, stride: int = 1, relu: bool = True):
    """Convolution and normalisation."""
    x = layers.Conv2D(width, kernel, stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x) if relu else x


def report_cnn(x):
    for width in (32, 64):
        x = layers.MaxPooling2D(2)(layers.Conv2D(width, 3, activation="relu")(x))
    return layers.Dense(128, activation="relu")(layers.Flatten()(x))


def vgg(first: int, second: int, third: int):
    def body(x):
        x = layers.MaxPooling2D(2)(conv(x, first))
        x = layers.MaxPooling2D(2)(conv(conv(x, second), second))
        return layers.GlobalMaxPooling2D()(conv(conv(x, third), third))

    return body


def block(x, width: int):
    """A residual block, which halves sides where it is wider than what it gets."""
    stride = 1 if width == x.shape[-1] else 2
    y = conv(conv(x, width, stride=stride), width, relu=False)
    shortcut = x if stride == 1 else conv(x, width, 1, stride, relu=False)
    return layers.ReLU()(layers.Add()([y, shortcut]))


def resnet(widths, stride: int):
    def body(x):
        x = conv(x, widths[0], stride=stride)
        for width in widths:
            x = block(block(x, width), width)
        return layers.GlobalAveragePooling2D()(x)

    return body


def wide_resnet(x):
    x = layers.MaxPooling2D(2)(conv(x, 64))
    x = layers.MaxPooling2D(2)(block(conv(x, 128), 128))
    return layers.GlobalMaxPooling2D()(block(conv(x, 256), 256))


BODIES = {
    "report-cnn": report_cnn,
    "vgg-small": vgg(16, 32, 64), "vgg": vgg(32, 48, 96), "vgg-large": vgg(32, 64, 128),
    "resnet": resnet((16, 32, 64), 1), "resnet-large": resnet((32, 64, 128), 1),
    "resnet-64": resnet((16, 32, 64, 128), 2), "wide-resnet": wide_resnet,
}
if NETWORK not in BODIES:
    sys.exit(f"{NETWORK} is not written for Keras")
lines = Lines(f"keras-{VARIANT}", f"Keras {keras.__version__} on {backend}")
x, y, x_test, y_test = lines.data(channels_first=False)
images = keras.Input((SIDE, SIDE, CHANNELS))
model = keras.Model(images, layers.Dense(10, activation="softmax")(BODIES[NETWORK](images)))
assert sum(variable.value.size if VARIANT == "jax" else int(tf.size(variable.value))
           for variable in model.trainable_variables) == PARAMETERS
model.compile(optimizer=keras.optimizers.Adam(0.001), loss="sparse_categorical_crossentropy",
              metrics=["accuracy"])
lines.train(lambda n: model.fit(x[:n], y[:n], batch_size=BATCH, shuffle=True, verbose=0))

# `evaluate` and `predict` take milliseconds more for a batch than calling the compiled function.
if VARIANT == "tensorflow":
    compiled = tf.function(lambda images: model(images, training=False))

    def call(images):
        return compiled(tf.constant(images)).numpy()
else:
    trained = [v.value for v in model.trainable_variables]
    others = [v.value for v in model.non_trainable_variables]
    compiled = jax.jit(lambda a, b, images: model.stateless_call(a, b, images, training=False)[0])

    def call(images):
        return np.asarray(compiled(trained, others, images))


def classify(images: int, batch: int):
    right = 0
    for start in range(0, images, batch):
        part = slice(start, start + batch)
        right += int((call(x_test[part]).argmax(1) == y_test[part]).sum())
    return right


lines.classify(classify)
lines.latency(lambda i: call(x_test[i:i + 1]))
