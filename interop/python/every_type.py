"""A message with a field of every type that DarkRiftPy's messages may have, and values for it."""

import darkriftpy
from darkriftpy.types import char, double, int8, int16, int32, int64, uint8, uint16, uint32, uint64


class EveryType(darkriftpy.Message, tag=3):
    text: str
    raw: bytes
    flag: bool
    letter: char
    single: float
    double: double
    i8: int8
    u8: uint8
    i16: int16
    u16: uint16
    i32: int32
    u32: uint32
    i64: int64
    u64: uint64
    texts: list[str]
    singles: list[float]
    doubles: list[double]
    i8s: list[int8]
    u8s: list[uint8]
    i16s: list[int16]
    u16s: list[uint16]
    i32s: list[int32]
    u32s: list[uint32]
    i64s: list[int64]
    u64s: list[uint64]


def example():
    return EveryType(
        text="Hello World",
        raw=b"\x00\xff\x80",
        flag=True,
        letter="x",
        single=-1.5,
        double=0.1,
        i8=-(2**7),
        u8=2**8 - 1,
        i16=-(2**15),
        u16=2**16 - 1,
        i32=-(2**31),
        u32=2**32 - 1,
        i64=-(2**63),
        u64=2**64 - 1,
        texts=["one", "", "three"],
        singles=[1.5, -0.25],
        doubles=[0.1, -1e300],
        i8s=[-1, 127],
        u8s=[0, 255],
        i16s=[-1, 258],
        u16s=[258, 65535],
        i32s=[-(2**31), 2**31 - 1],
        u32s=[0, 2**31 - 1],
        i64s=[-1, 2**63 - 1],
        u64s=[1, 2**64 - 1],
    )
