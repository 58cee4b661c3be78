"""Kinematics of the exercises: pure functions from time to the pose of two sensors."""
