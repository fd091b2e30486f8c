"""C++ programs against tests, with g++: what does not compile, and which lines make a test fail."""

from rlsf_lightning.symbolic.verifiers.cpp.verifier import CppVerifier

VERIFIER = CppVerifier
