"""C++ programs against tests, with g++: what does not compile, and which lines make a test fail."""

from rlsf_lightning.symbolic.cpp.verifier import CppVerifier

VERIFIER = CppVerifier
