"""The process near the patient: wearables over Bluetooth LE in, an acknowledged log over MQTT out."""
