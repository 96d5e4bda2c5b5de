"""職員呼出: a kiosk asks for somebody, and somebody at a window says that they go."""
